#include "demos/load_balance/options.h"

#include <filesystem>

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
  --no-balance            only the run without balancing
  --help                  this text

The environment variable ROAM_NODE_RANKS=K cuts this machine into nodes of K ranks, between which
threads travel through MPI. ROAM_TRACE=FILE.json writes a trace, of which
`roam-report FILE.json --timeline PICTURE.svg --part 'without balancing' --part 'with balancing'`
draws the timeline.
)";

Options parse_options(int argc, char** argv) {
  Options options;
  bool no_balance = false;
  Arguments arguments;
  CLI::App& app = arguments.app();
  app.add_option("--input", options.inputs)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--output", options.output);
  app.add_option("--bytes", options.bytes)->transform(byte_size());
  app.add_option("--piece", options.piece_bytes)->transform(byte_size());
  app.add_option("--threads-per-rank", options.threads_per_rank)->check(whole_number(1, 100'000));
  app.add_option("--level", options.level)->check(whole_number(1, 9));
  app.add_flag("--no-balance", no_balance);
  arguments.read(argc, argv);
  options.help = arguments.help();
  options.balance = !no_balance;
  if (options.inputs.empty()) {
    for (const char* path : {"/usr/share/doc", "/usr/include"}) {
      if (std::filesystem::is_directory(path)) options.inputs.emplace_back(path);
    }
  }
  return options;
}
