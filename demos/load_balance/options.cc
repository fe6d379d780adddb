#include "demos/load_balance/options.h"

#include <getopt.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

const char kUsage[] =
    R"(Compresses files with threads that migrate between ranks in the middle of their streams.

usage: mpiexec.hydra -n RANKS load_balance [option...]

  --input PATH            directory (or file) to compress; may be given again
                          (default: /usr/share/doc and /usr/include)
  --output DIR            write FILE.gz for every file that is compressed (default: write none)
  --bytes LIMIT           compress at most so much of the input, e.g. 64M (default 192M)
  --piece BYTES           larger files are cut into pieces of so much, a thread each (default 4M)
  --threads-per-rank N    files to take for each rank when the input is larger than the limit
                          (default 48)
  --level 1-9             effort of zlib (default 9)
  --svg FILE              where to draw the timeline (default load_balance.svg)
  --no-balance            only the run without balancing
  --help                  this text

The environment variable ROAM_NODE_RANKS=K cuts this machine into nodes of K ranks, between which
threads travel through MPI.
)";

namespace {

std::string quoted(std::string_view option, std::string_view value) {
  return std::string(option) + " '" + std::string(value) + "'";
}

template <class Number>
bool parse_number(std::string_view text, Number& value, std::string_view& rest) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

std::uint64_t parse_bytes(std::string_view option, std::string_view text) {
  std::uint64_t value = 0;
  std::string_view suffix;
  bool good = parse_number(text, value, suffix) && value > 0;
  int shift = 0;
  if (suffix == "K") {
    shift = 10;
  } else if (suffix == "M") {
    shift = 20;
  } else if (suffix == "G") {
    shift = 30;
  } else if (!suffix.empty()) {
    good = false;
  }
  if (!good || value > (std::uint64_t{1} << 62 >> shift)) {
    throw UsageError(quoted(option, text) +
                     " is no size: give a number of bytes, 1 or more; K, M or G may follow it");
  }
  return value << shift;
}

int parse_int(std::string_view option, std::string_view text, int low, int high) {
  int value = 0;
  std::string_view rest;
  if (!parse_number(text, value, rest) || !rest.empty() || value < low || value > high) {
    throw UsageError(quoted(option, text) + " is not allowed: give a whole number from " +
                     std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

// getopt_long's answers; none is a printable character, which '?' and ':' are.
enum Choice : int {
  kInput = 1,
  kOutput,
  kBytes,
  kPiece,
  kThreadsPerRank,
  kLevel,
  kSvg,
  kNoBalance,
  kHelp
};

constexpr option kLongOptions[] = {
    {"input", required_argument, nullptr, kInput},
    {"output", required_argument, nullptr, kOutput},
    {"bytes", required_argument, nullptr, kBytes},
    {"piece", required_argument, nullptr, kPiece},
    {"threads-per-rank", required_argument, nullptr, kThreadsPerRank},
    {"level", required_argument, nullptr, kLevel},
    {"svg", required_argument, nullptr, kSvg},
    {"no-balance", no_argument, nullptr, kNoBalance},
    {"help", no_argument, nullptr, kHelp},
    {},
};

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  opterr = 0;
  optind = 1;
  for (;;) {
    const int at = optind;
    switch (getopt_long(argc, argv, ":", kLongOptions, nullptr)) {
      case -1:
        if (optind < argc) {
          throw UsageError(quoted("argument", argv[optind]) +
                           " is not known: the input is given with --input");
        }
        if (options.inputs.empty()) {
          for (const char* path : {"/usr/share/doc", "/usr/include"}) {
            if (std::filesystem::is_directory(path)) options.inputs.emplace_back(path);
          }
        }
        return options;
      case kInput:
        options.inputs.emplace_back(optarg);
        break;
      case kOutput:
        options.output = optarg;
        break;
      case kBytes:
        options.bytes = parse_bytes("--bytes", optarg);
        break;
      case kPiece:
        options.piece_bytes = parse_bytes("--piece", optarg);
        break;
      case kThreadsPerRank:
        options.threads_per_rank = parse_int("--threads-per-rank", optarg, 1, 100'000);
        break;
      case kLevel:
        options.level = parse_int("--level", optarg, 1, 9);
        break;
      case kSvg:
        options.svg = optarg;
        break;
      case kNoBalance:
        options.balance = false;
        break;
      case kHelp:
        options.help = true;
        return options;
      case ':':
        throw UsageError(quoted("option", argv[at]) + " needs a value");
      default:
        throw UsageError(quoted("option", argv[at]) + " is not known, or takes no value");
    }
  }
}
