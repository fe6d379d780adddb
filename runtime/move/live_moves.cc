#include "runtime/move/live_moves.h"

#include <fstream>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

namespace roam::runtime {
namespace {

std::uint64_t id_of(const Tcb* t) { return t->id.load(std::memory_order_relaxed); }

// As iso::HugePages decides.
bool may_be_huge(int option) {
  std::string words;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), words);
  return option == 1 || (option == 2 && words.find("[always]") != std::string::npos);
}

}  // namespace

LiveMoves::LiveMoves(Net& net, Locator& locator, const Options& options)
    : net_(net),
      verbose_(options.verbose),
      source_(net, locator, reports_, may_be_huge(options.huge), options.verbose),
      target_(net) {}

void LiveMoves::ask(Tcb* t, int to, std::int64_t most_still_ns) {
  source_.ask(t, to, most_still_ns);
  look_whether_due();
}

void LiveMoves::look_whether_due() {
  set_due(source_.busy() || source_.watches() || source_.has_to_ask() || target_.busy());
}

void LiveMoves::poll() {
  source_.poll();
  target_.poll();
  look_whether_due();
}

void LiveMoves::reclaim() {
  target_.reclaim();
  look_whether_due();
}

// What was noted here is of no use any more.
void LiveMoves::tell_slow(const Tcb* t, int to) {
  const LiveReport* told = reports_.find(id_of(t));
  if (told == nullptr) return;
  if (!told->pending) return reports_.forget(id_of(t));
  LiveReportHead head{};
  head.kind = Kind::kLiveReport;
  head.live = told->live ? 1 : 0;
  head.id = id_of(t);
  head.bytes_running = told->bytes_running;
  head.bytes_still = told->bytes_still;
  // What comes next takes its time, and the target adds how long it was after this.
  head.still_ns = told->still_ns;
  head.rounds = told->rounds;
  copy_text(head.why, told->why.c_str());
  net_.send_to_why(to, head);
  LiveReport gone;
  gone.gone = true;
  reports_.note(head.id, std::move(gone));
}

// `still_ns` is until this came, and is completed when the thread has.
void LiveMoves::on_report(const char* message, std::size_t bytes) {
  const auto head = read_to_why<LiveReportHead>(message, bytes);
  reports_.note(head.id, {.live = head.live != 0,
                          .rounds = head.rounds,
                          .bytes_running = head.bytes_running,
                          .bytes_still = head.bytes_still,
                          .still_ns = head.live != 0 ? head.still_ns - now_ns() : 0,
                          .why = head.why});
}

void LiveMoves::comes_whole_slow(std::uint64_t id, std::uint64_t bytes) {
  LiveReport* told = reports_.find(id);
  if (told == nullptr || !told->live) return;
  told->live = false;
  told->bytes_still = bytes;
  told->still_ns = 0;
  told->why = text(
      "what had come ahead of it to rank %d was not all there any more when it was to "
      "go, and all of it was sent once more while it stood still",
      net_.rank());
}

void LiveMoves::arrived_slow(const Tcb* t, int from) {
  LiveReport* told = reports_.find(id_of(t));
  if (told == nullptr) return;
  if (told->gone) return reports_.forget(id_of(t));
  if (!told->live) return;
  told->still_ns += now_ns();
  if (verbose_ == 0) return;
  report(text("thread '%s' has come from rank %d: %s while it ran, in %u rounds, and %s while it "
              "stood still for %.2f ms%s%s",
              t->name(), from, bytes_text(told->bytes_running).c_str(), told->rounds,
              bytes_text(told->bytes_still).c_str(), static_cast<double>(told->still_ns) * 1e-6,
              told->why.empty() ? "" : "; ", told->why.c_str())
             .c_str());
}

void LiveMoves::refused(const Tcb* t, const std::string& why) {
  LiveReport* told = reports_.find(id_of(t));
  if (told == nullptr || !told->gone) return;
  told->gone = false;
  told->why = why;
}

const LiveReport* LiveMoves::report_of(const Tcb* t) {
  const LiveReport* told = reports_.find(id_of(t));
  return told == nullptr || told->gone ? nullptr : told;
}

std::span<const Kind> LiveMoves::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLiveBegin, Kind::kLiveReady, Kind::kLivePages,
                                  Kind::kLiveTaken, Kind::kLiveThere, Kind::kLiveEnd,
                                  Kind::kLiveLost,  Kind::kLiveReport};
  return kOwn;
}

void LiveMoves::handle(int from, const char* message, std::size_t bytes) {
  switch (read<Kind>(message)) {
    case Kind::kLiveBegin:
      target_.on_begin(from, read<LiveBeginHead>(message));
      break;
    case Kind::kLiveReady:
      source_.on_ready(from, read_to_why<LiveWordHead>(message, bytes));
      break;
    case Kind::kLivePages:
      target_.on_pages(from, message, bytes);
      break;
    case Kind::kLiveTaken:
      source_.on_taken(read<LiveTakenHead>(message));
      break;
    case Kind::kLiveThere:
      target_.on_there(from, message, bytes);
      break;
    case Kind::kLiveEnd:
      target_.on_end(from, read<LiveEndHead>(message));
      break;
    case Kind::kLiveLost:
      source_.on_lost(read_to_why<LiveWordHead>(message, bytes));
      break;
    default:
      on_report(message, bytes);
  }
  look_whether_due();
}

}  // namespace roam::runtime
