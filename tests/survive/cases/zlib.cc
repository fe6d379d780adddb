// zlib streams open while they move: a stream's windows and tables are in the thread's heap.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

using Bytes = std::vector<unsigned char>;

// Text that compresses, but not to nothing.
Bytes text(std::uint64_t seed, std::size_t bytes) {
  Random rng(seed);
  std::vector<std::string> words;
  for (int i = 0; i < 300; ++i) words.push_back(rng.text(rng.between(2, 12)));
  std::string result;
  while (result.size() < bytes) result += words[rng.below(rng.between(1, 300))] + ' ';
  return Bytes(result.begin(), result.begin() + bytes);
}

// Feeds `in` in pieces; moves between some of them.
Bytes deflated(const Bytes& in, int level, Mover* move) {
  z_stream stream{};
  expect_eq(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK,
            "deflateInit2");
  Bytes out(deflateBound(&stream, in.size()) + 100);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const std::size_t piece = in.size() / 10 + 1;
  for (std::size_t at = 0; at < in.size(); at += piece) {
    stream.next_in = const_cast<Bytef*>(in.data() + at);
    stream.avail_in = static_cast<uInt>(std::min(piece, in.size() - at));
    expect_eq(deflate(&stream, Z_NO_FLUSH), Z_OK, "deflate");
    if (move != nullptr && at / piece % 4 == 2) (*move)();
  }
  expect_eq(deflate(&stream, Z_FINISH), Z_STREAM_END, "the last deflate");
  out.resize(stream.total_out);
  expect_eq(deflateEnd(&stream), Z_OK, "deflateEnd");
  return out;
}

Bytes inflated(const Bytes& in, std::size_t bytes, Mover* move) {
  z_stream stream{};
  expect_eq(inflateInit2(&stream, 15 + 32), Z_OK, "inflateInit2");
  Bytes out(bytes + 100);
  stream.next_in = const_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  int result = Z_OK;
  for (int i = 0; result == Z_OK; ++i) {
    const std::size_t piece = std::min(bytes / 10 + 1, out.size() - stream.total_out);
    stream.avail_out = static_cast<uInt>(piece);  // ends in the middle of a match
    result = inflate(&stream, Z_NO_FLUSH);
    if (move != nullptr && i % 4 == 2) (*move)();
  }
  expect_eq(result, Z_STREAM_END, "the last inflate");
  out.resize(stream.total_out);
  expect_eq(inflateEnd(&stream), Z_OK, "inflateEnd");
  return out;
}

SURVIVE_CASE(zlib_stream_that_compresses) {
  const Bytes plain = text(move.seed(), 600000);
  for (int level : {1, 6, 9}) {
    const Bytes got = deflated(plain, level, &move);
    expect(got == deflated(plain, level, nullptr), "compressed as by a stream that stayed");
    expect(inflated(got, plain.size(), nullptr) == plain, "what was compressed comes out again");
  }
}

SURVIVE_CASE(zlib_stream_that_decompresses) {
  const Bytes plain = text(move.seed(), 600000);
  const Bytes compressed = deflated(plain, 6, nullptr);
  expect(inflated(compressed, plain.size(), &move) == plain, "decompressed text");
}

SURVIVE_CASE(zlib_stream_copied_in_the_middle) {
  const Bytes plain = text(move.seed(), 200000);
  z_stream one{}, two{};
  Bytes out[2] = {Bytes(300000), Bytes(300000)};
  deflateInit(&one, 9);
  one.next_in = const_cast<Bytef*>(plain.data());
  one.avail_in = 100000;
  one.next_out = out[0].data();
  one.avail_out = 300000;
  deflate(&one, Z_NO_FLUSH);
  deflateCopy(&two, &one);
  std::memcpy(out[1].data(), out[0].data(), one.total_out);
  two.next_out = out[1].data() + one.total_out;
  move();
  for (z_stream* stream : {&one, &two}) {
    stream->next_in = const_cast<Bytef*>(plain.data() + 100000);
    stream->avail_in = 100000;
    expect_eq(deflate(stream, Z_FINISH), Z_STREAM_END, "deflate after the move");
    deflateEnd(stream);
  }
  expect(one.total_out == two.total_out && out[0] == out[1], "the streams gave the same");
  expect_eq(one.adler, adler32(1, plain.data(), 200000), "checksum");
}

}  // namespace
}  // namespace roam_test
