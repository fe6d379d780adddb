// Looks at checkpoints: what is in them, and whether each byte is what was written.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "runtime/checkpoint/folder.h"
#include "runtime/checkpoint/listing.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/checkpoint/piece_reader.h"
#include "runtime/keeper/keeper_client.h"
#include "runtime/keeper/keeper_wire.h"

namespace {

using roam::runtime::complete_ones;
using roam::runtime::KeeperClient;
using roam::runtime::KeeperPlace;
using roam::runtime::Manifest;
using roam::runtime::PieceReader;
using roam::runtime::PieceSummary;
using roam::runtime::ThreadFacts;

constexpr std::size_t kMostThreads = 1000;  // lines a piece

bool of_others = false;

std::string size_text(std::uint64_t bytes) {
  const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

// What a terminal does not take for a command.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

int complain(const std::string& why) {
  std::fprintf(stderr, "roam-checkpoint: %s\n", printable(why).c_str());
  return 1;
}

// Calls `look(piece)` for each piece of a checkpoint, which is right but for its pages; false, with
// why, as soon as one is not, or look() says so.
template <class Look>
bool for_each_piece(const std::string& folder, Manifest* manifest, std::string* why, Look look) {
  if (!manifest->read(folder, why, of_others) || !have_arena_of(*manifest, why)) return false;
  for (int i = 0; i < manifest->ranks; ++i) {
    PieceReader piece;
    const PieceSummary& summary = manifest->pieces[static_cast<std::size_t>(i)];
    if (!piece.open(manifest->path_of(i), summary, why, of_others) || !look(piece)) return false;
  }
  return true;
}

// With what it takes on disk, if that is not the same.
std::string size_text(std::uint64_t bytes, std::uint64_t stored) {
  return size_text(bytes) + (stored == bytes ? "" : ", " + size_text(stored) + " on disk");
}

void print_line(const Manifest& m, const char* how) {
  std::printf("%06" PRIu64 "  %s  %d rank%s  %" PRIu64 " thread%s  %s  %s\n", m.number,
              printable(m.made).c_str(), m.ranks, m.ranks == 1 ? "" : "s", m.threads,
              m.threads == 1 ? "" : "s", size_text(m.bytes, m.stored_bytes()).c_str(), how);
}

// ---- what is in memory ----

std::vector<KeeperPlace> keepers_for(const std::string& dir) {
  std::vector<KeeperPlace> places = roam::runtime::keepers_beginning("/");
  std::erase_if(places, [&dir](const KeeperPlace& place) {
    const std::string its = place.folder.substr(0, place.folder.rfind('/'));
    return !place.folder.starts_with(roam::runtime::names_for_keepers(its)) ||
           !roam::runtime::same_folder(its, dir);
  });
  return places;
}

std::uint64_t bytes_of(KeeperClient& keeper, const KeeperClient::Kept& kept) {
  std::uint64_t bytes = 0;
  for (const std::string& piece : kept.pieces) {
    const roam::runtime::OwnedFd memory(keeper.get(kept.number, piece));
    struct stat status {};
    if (memory.get() >= 0 && fstat(memory.get(), &status) == 0)
      bytes += static_cast<std::uint64_t>(status.st_size);
  }
  return bytes;
}

// False, and it is said why: it does not answer.
bool print_kept(const KeeperPlace& place, KeeperClient& keeper) {
  std::vector<KeeperClient::Kept> all;
  if (!keeper.connect(place.folder, place.node) || !keeper.list(&all)) {
    complain(keeper.error());
    return false;
  }
  if (all.empty()) std::printf("in memory of node %d: nothing\n", place.node);
  for (const KeeperClient::Kept& one : all) {
    std::printf("%06" PRIu64 "  in memory of node %d: %zu file%s  %s  %s\n", one.number, place.node,
                one.pieces.size(), one.pieces.size() == 1 ? "" : "s",
                size_text(bytes_of(keeper, one)).c_str(),
                one.committed ? "complete" : "being made, or complete on another node");
  }
  return true;
}

int forget(const std::string& dir) {
  const std::vector<KeeperPlace> places = keepers_for(dir);
  int failed = 0;
  for (const KeeperPlace& place : places) {
    KeeperClient keeper;
    if (!print_kept(place, keeper)) {
      ++failed;
    } else if (!keeper.forget()) {
      failed += complain(keeper.error());
    } else {
      std::printf("the keeper of node %d has given it back, and ends\n", place.node);
    }
  }
  if (places.empty()) {
    std::printf("no keeper of this user on this machine has checkpoints of %s in memory\n",
                printable(dir).c_str());
  }
  std::printf(
      "keepers on other machines are told there, by the same command, or end when nobody has been "
      "connected to them for ten minutes\n");
  std::string none;
  const std::string name = roam::runtime::name_for_keepers(dir, false, &none);
  if (failed == 0 && !name.empty()) roam::runtime::note_kept(name, false, &none);
  return failed == 0 ? 0 : 1;
}

int list_kept(const std::string& dir) {
  int count = 0;
  for (const KeeperPlace& place : keepers_for(dir)) {
    KeeperClient keeper;
    count += print_kept(place, keeper) ? 1 : 0;
  }
  return count;
}

// ---- what is on disk ----

int list(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    Manifest manifest;
    std::string why;
    if (for_each_piece(folder, &manifest, &why, [](PieceReader&) { return true; })) {
      print_line(manifest, "whole");
    } else {
      std::printf("%s  torn: %s\n", printable(folder.substr(folder.rfind('/') + 1)).c_str(),
                  printable(why).c_str());
    }
  }
  return 0;
}

// What lies in its folder and is not read at a restart.
void print_strays(const Manifest& manifest) {
  std::set<std::string> own{Manifest::kFile};
  for (const PieceSummary& piece : manifest.pieces) {
    own.insert(piece.file);
    for (const roam::runtime::BaseEntry& base : piece.bases)
      own.insert(roam::runtime::base_name(base));
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(manifest.folder, error)) {
    const std::string name = entry.path().filename();
    if (!own.contains(name)) std::printf("        %s is no part of it\n", printable(name).c_str());
  }
}

int verify(const std::vector<std::string>& folders) {
  int wrong = 0;
  for (const std::string& folder : folders) {
    Manifest manifest;
    std::string why;
    if (for_each_piece(folder, &manifest, &why, [&](PieceReader& p) { return p.verify(&why); })) {
      print_line(manifest, "every checksum is right");
      print_strays(manifest);
    } else {
      wrong += complain(why);
    }
  }
  return wrong == 0 ? 0 : 1;
}

bool show_piece(PieceReader& piece, const PieceSummary& summary, std::string* why) {
  std::printf("\n%s: %s, %zu threads and remains, %zu blocks\n", summary.file.c_str(),
              size_text(summary.bytes, summary.stored_bytes()).c_str(), piece.images(),
              piece.blocks());
  std::map<std::string, std::size_t> states;
  for (std::size_t i = 0; i < piece.images(); ++i) {
    ThreadFacts t;
    if (!thread_facts(piece, i, &t, why)) return false;
    ++states[t.state];
    if (i < kMostThreads) {
      std::printf("  %16" PRIu64 "  %-10s %-24s %s (stack %s, heap %s)\n", t.id, t.state,
                  ("'" + printable(t.name) + "'").c_str(), size_text(t.bytes).c_str(),
                  size_text(t.stack_bytes).c_str(), size_text(t.heap_bytes).c_str());
    }
  }
  if (piece.images() > kMostThreads) std::printf("  and %zu more\n", piece.images() - kMostThreads);
  std::string counts;
  for (const auto& [state, count] : states) counts += "  " + std::to_string(count) + " " + state;
  if (!counts.empty()) std::printf("  in all:%s\n", counts.c_str());
  for (std::size_t b = 0; b < piece.blocks(); ++b) {
    std::printf("  block of %s at 0x%zx\n", size_text(piece.block(b).bytes).c_str(),
                piece.block(b).range.begin);
  }
  return true;
}

// Of the newest that can be read.
int show(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    Manifest m;
    std::string why;
    if (!m.read(folder, &why, of_others)) {
      complain(why);
      continue;
    }
    print_line(m, printable(folder).c_str());
    if (!m.program.empty()) std::printf("program  %s\n", printable(m.program).c_str());
    if (!m.roam.empty()) std::printf("roam     %s\n", printable(m.roam).c_str());
    std::printf("arena    %s at 0x%zx, of %d homes\n", size_text(m.arena.bytes).c_str(),
                m.arena.begin, m.homes);
    for (const std::string& fact : m.layout) std::printf("  %s\n", printable(fact).c_str());
    for (const auto& [name, value] : m.data)
      std::printf("data     '%s', %zu bytes\n", printable(name).c_str(), value.size());
    std::size_t number = 0;
    if (for_each_piece(folder, &m, &why, [&](PieceReader& piece) {
          return show_piece(piece, m.pieces[number++], &why);
        }))
      return 0;
    return complain(why);
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Looks at the checkpoints in a folder, or at one of them; those in memory are told to end.\n"
      "Programs that ran with another version of Roam need the roam-checkpoint of that version.");
  std::string dir;
  int (*command)(const std::vector<std::string>&) = nullptr;
  const auto add = [&](const char* name, const char* what, auto how) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_option("DIR", dir, "a folder of checkpoints, or of one")->required();
    sub->add_flag("--of-others", of_others, "also what belongs to another user");
    sub->callback([&command, how] { command = how; });
  };
  add("list",
      "number, time, ranks, threads and size of each; whole or torn; and what keepers of this "
      "machine hold",
      list);
  add("verify",
      "reads every byte, and compares all checksums; status 1: one is wrong. What else lies in a "
      "checkpoint's folder is named",
      verify);
  add("show", "the build, threads by name and state, and blocks of the newest", show);
  bool forgets = false;
  CLI::App* forgetting = app.add_subcommand(
      "forget",
      "tells keepers of this machine, also those of earlier jobs, to give back what they hold of "
      "DIR in memory, and to end. What is on disk stays");
  forgetting->add_option("DIR", dir, "a folder of checkpoints; it need not be there any more")
      ->required();
  forgetting->callback([&forgets] { forgets = true; });
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  if (forgets) return forget(dir);
  std::string why;
  const std::vector<std::string> folders = complete_ones(dir, &why);
  const int kept = command == list ? list_kept(dir) : 0;
  if (folders.empty() && kept != 0) return 0;
  return folders.empty() ? complain(why) : command(folders);
}
