#include "runtime/checkpoint/listing.h"

#include <cstring>
#include <exception>

#include "base/options.h"
#include "isomalloc/arena.h"
#include "isomalloc/lease_cut.h"
#include "threads/tcb.h"

namespace roam::runtime {
namespace {

using detail::Tcb;

constexpr std::size_t kMostNameBytes = 256;

// The text at an address of a thread's memory.
bool name_at(PieceReader& piece, std::size_t i, Address at, std::string* name, std::string* why) {
  for (name->clear(); name->size() < kMostNameBytes;) {
    char byte = 0;
    if (!piece.copy(i, at + name->size(), &byte, 1, why)) return false;
    if (byte == '\0') break;
    *name += byte;
  }
  return true;
}

}  // namespace

bool have_arena_of(const Manifest& manifest, std::string* why) {
  try {
    iso::arena().release();
    Options options;
    options.arena_base = manifest.arena.begin;
    options.arena_bytes = manifest.arena.bytes;
    iso::arena().reserve(options);
    iso::arena().set_ranks(iso::ranks_for_leases_of(manifest.lease_bytes, iso::arena().whole()));
    return true;
  } catch (const std::exception& error) {
    *why = error.what();
    return false;
  }
}

bool thread_facts(PieceReader& piece, std::size_t i, ThreadFacts* facts, std::string* why) {
  *facts = {};
  const ImageHead& head = piece.head(i);
  const Image& image = piece.image(i);
  const Address control = reinterpret_cast<Address>(head.control);
  facts->id = head.id;
  facts->bytes = image.bytes;
  facts->heap_bytes = heap_bytes_of(image);
  if (image.runs[0].begin < control) facts->stack_bytes = control - image.runs[0].begin;

  alignas(Tcb) char room[sizeof(Tcb)];
  if (!piece.copy(i, control, room, sizeof room, why)) return false;
  const Tcb* t = reinterpret_cast<const Tcb*>(room);
  // Of a program with another version of Roam they are elsewhere.
  if (t->id.load(std::memory_order_relaxed) != head.id || t->slot != image.marks[0].range) {
    facts->name = "?";
    return true;
  }
  facts->state = detail::to_string(t->state);
  if (t->long_name == nullptr) {
    facts->name.assign(t->short_name, strnlen(t->short_name, sizeof t->short_name));
    return true;
  }
  std::string elsewhere;
  if (!name_at(piece, i, reinterpret_cast<Address>(t->long_name), &facts->name, &elsewhere))
    facts->name = "?";
  return true;
}

}  // namespace roam::runtime
