// docs/wire.md and docs/image.md say how messages and images lie in memory: they are compared with
// the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "roam/error.h"
#include "runtime/balance/load_model.h"
#include "runtime/balancing/diffuse_messages.h"
#include "runtime/balancing/loads_along.h"
#include "runtime/balancing/place_head.h"
#include "runtime/checkpoint/checkpoint_messages.h"
#include "runtime/image/codec.h"
#include "runtime/image/image.h"
#include "runtime/image/memory_stream.h"
#include "runtime/life/lifecycle.h"
#include "runtime/move/lease_broker.h"
#include "runtime/move/live_messages.h"
#include "runtime/move/migrator.h"
#include "runtime/move/mover.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"
#include "runtime/teams/flow_control.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/letter.h"
#include "runtime/teams/open_parcels.h"
#include "runtime/teams/parcel.h"
#include "runtime/teams/parts.h"
#include "runtime/teams/teams.h"
#include "runtime/teams/whereabouts.h"
#include "runtime/trace/observer.h"

namespace roam::runtime {
namespace {

using balance::DiffusionRank;
using detail::Envelope;
using Sums = DiffusionRank::Sums;
using Token = DiffusionRank::Token;

struct Field {
  std::size_t offset, bytes;
  bool operator==(const Field&) const = default;
};
struct Layout {
  std::size_t bytes = 0;
  std::map<std::string, Field> fields;
};

// The tables of a document.
void add_tables(const char* document, std::map<std::string, Layout>& layouts) {
  std::ifstream file(document);
  Layout* current = nullptr;
  const std::regex heading(R"(### (\w+), (\d+) bytes)");
  const std::regex row(R"(\| (\d+) \| (\d+) \| `(\w+)` \| .+ \|)");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, heading)) {
      current = &layouts[match[1]];
      current->bytes = std::stoul(match[2]);
    } else if (current != nullptr && std::regex_match(line, match, row)) {
      current->fields[match[3]] = {std::stoul(match[1]), std::stoul(match[2])};
    }
  }
}
std::map<std::string, Layout> documented() {
  std::map<std::string, Layout> layouts;
  add_tables("docs/wire.md", layouts);
  add_tables("docs/image.md", layouts);
  return layouts;
}

// The bytes of the example in a document; of docs/image.md up to the image's own bytes.
std::vector<unsigned char> example_in(const char* document) {
  std::vector<unsigned char> bytes;
  std::ifstream file(document);
  const std::regex row(R"( *(\d+)((?:  ?[0-9a-f]{2})+)(?:   ?.*)?)");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, match, row)) continue;
    EXPECT_EQ(std::stoul(match[1]), bytes.size()) << line;
    std::istringstream values(match[2]);
    for (std::string value; values >> value;)
      bytes.push_back(static_cast<unsigned char>(std::stoul(value, nullptr, 16)));
  }
  return bytes;
}

#define FIELD(head, name)                               \
  {                                                     \
#name, { offsetof(head, name), sizeof(head::name) } \
  }

const std::map<std::string, Layout>& real() {
  static const auto& layouts = *new std::map<std::string, Layout>{
      {"FragmentHead",
       {sizeof(FragmentHead),
        {FIELD(FragmentHead, kind), FIELD(FragmentHead, number), FIELD(FragmentHead, total),
         FIELD(FragmentHead, offset)}}},
      {"CarryHead",
       {sizeof(CarryHead),
        {FIELD(CarryHead, kind), FIELD(CarryHead, transfer), FIELD(CarryHead, answers),
         FIELD(CarryHead, answered), FIELD(CarryHead, joiner)}}},
      {"OfferHead", {sizeof(OfferHead), {FIELD(OfferHead, carry), FIELD(OfferHead, bytes)}}},
      {"ImageHead",
       {sizeof(ImageHead),
        {FIELD(ImageHead, version), FIELD(ImageHead, what), FIELD(ImageHead, marks),
         FIELD(ImageHead, runs), FIELD(ImageHead, id), FIELD(ImageHead, control),
         FIELD(ImageHead, bytes), FIELD(ImageHead, sleep_left_ns)}}},
      {"Mark", {sizeof(Mark), {FIELD(Mark, range), FIELD(Mark, kind), FIELD(Mark, padding)}}},
      {"MoreHead", {sizeof(MoreHead), {FIELD(MoreHead, kind), FIELD(MoreHead, transfer)}}},
      {"TransferHead",
       {sizeof(TransferHead), {FIELD(TransferHead, kind), FIELD(TransferHead, transfer)}}},
      {"RefusalHead",
       {sizeof(RefusalHead),
        {FIELD(RefusalHead, kind), FIELD(RefusalHead, transfer), FIELD(RefusalHead, code),
         FIELD(RefusalHead, why)}}},
      {"LocatedHead",
       {sizeof(LocatedHead),
        {FIELD(LocatedHead, kind), FIELD(LocatedHead, hops), FIELD(LocatedHead, id),
         FIELD(LocatedHead, rank)}}},
      {"EndedHead",
       {sizeof(EndedHead),
        {FIELD(EndedHead, kind), FIELD(EndedHead, remains), FIELD(EndedHead, id),
         FIELD(EndedHead, rank)}}},
      {"JoinHead",
       {sizeof(JoinHead),
        {FIELD(JoinHead, kind), FIELD(JoinHead, joiner_rank), FIELD(JoinHead, target),
         FIELD(JoinHead, joiner), FIELD(JoinHead, at_remains)}}},
      {"JoinedHead",
       {sizeof(JoinedHead),
        {FIELD(JoinedHead, kind), FIELD(JoinedHead, code), FIELD(JoinedHead, joiner),
         FIELD(JoinedHead, remains), FIELD(JoinedHead, why)}}},
      {"UntieHead",
       {sizeof(UntieHead),
        {FIELD(UntieHead, kind), FIELD(UntieHead, padding), FIELD(UntieHead, thread)}}},
      {"MoveHead",
       {sizeof(MoveHead),
        {FIELD(MoveHead, kind), FIELD(MoveHead, to), FIELD(MoveHead, target),
         FIELD(MoveHead, asker), FIELD(MoveHead, asker_rank), FIELD(MoveHead, live_us)}}},
      {"MovedHead",
       {sizeof(MovedHead),
        {FIELD(MovedHead, kind), FIELD(MovedHead, code), FIELD(MovedHead, asker),
         FIELD(MovedHead, why)}}},
      {"LiveBeginHead",
       {sizeof(LiveBeginHead),
        {FIELD(LiveBeginHead, kind), FIELD(LiveBeginHead, number), FIELD(LiveBeginHead, id),
         FIELD(LiveBeginHead, bytes)}}},
      {"LiveWordHead",
       {sizeof(LiveWordHead),
        {FIELD(LiveWordHead, kind), FIELD(LiveWordHead, number), FIELD(LiveWordHead, why)}}},
      {"LivePagesHead",
       {sizeof(LivePagesHead),
        {FIELD(LivePagesHead, kind), FIELD(LivePagesHead, number), FIELD(LivePagesHead, ranges),
         FIELD(LivePagesHead, bytes)}}},
      {"LiveTakenHead",
       {sizeof(LiveTakenHead),
        {FIELD(LiveTakenHead, kind), FIELD(LiveTakenHead, number), FIELD(LiveTakenHead, dropped)}}},
      {"LiveThereHead",
       {sizeof(LiveThereHead),
        {FIELD(LiveThereHead, kind), FIELD(LiveThereHead, number), FIELD(LiveThereHead, transfer),
         FIELD(LiveThereHead, ranges), FIELD(LiveThereHead, more)}}},
      {"LiveEndHead",
       {sizeof(LiveEndHead), {FIELD(LiveEndHead, kind), FIELD(LiveEndHead, number)}}},
      {"LiveReportHead",
       {sizeof(LiveReportHead),
        {FIELD(LiveReportHead, kind), FIELD(LiveReportHead, live), FIELD(LiveReportHead, id),
         FIELD(LiveReportHead, bytes_running), FIELD(LiveReportHead, bytes_still),
         FIELD(LiveReportHead, still_ns), FIELD(LiveReportHead, rounds),
         FIELD(LiveReportHead, why)}}},
      {"LeaseHead",
       {sizeof(LeaseHead),
        {FIELD(LeaseHead, kind), FIELD(LeaseHead, region), FIELD(LeaseHead, request),
         FIELD(LeaseHead, first), FIELD(LeaseHead, count)}}},
      {"RangeAskHead",
       {sizeof(RangeAskHead),
        {FIELD(RangeAskHead, kind), FIELD(RangeAskHead, region), FIELD(RangeAskHead, need),
         FIELD(RangeAskHead, padding), FIELD(RangeAskHead, bytes)}}},
      {"RangeGiftHead",
       {sizeof(RangeGiftHead),
        {FIELD(RangeGiftHead, kind), FIELD(RangeGiftHead, region), FIELD(RangeGiftHead, need),
         FIELD(RangeGiftHead, count), FIELD(RangeGiftHead, more), FIELD(RangeGiftHead, free_bytes),
         FIELD(RangeGiftHead, sent), FIELD(RangeGiftHead, received)}}},
      {"ObtainHead",
       {sizeof(ObtainHead),
        {FIELD(ObtainHead, kind), FIELD(ObtainHead, given), FIELD(ObtainHead, range),
         FIELD(ObtainHead, sent), FIELD(ObtainHead, received)}}},
      {"LetterHead",
       {sizeof(LetterHead),
        {FIELD(LetterHead, kind), FIELD(LetterHead, padding), FIELD(LetterHead, envelope),
         FIELD(LetterHead, target), FIELD(LetterHead, original)}}},
      {"DirectHead",
       {sizeof(DirectHead),
        {FIELD(DirectHead, kind), FIELD(DirectHead, to), FIELD(DirectHead, from),
         FIELD(DirectHead, tag), FIELD(DirectHead, sequence), FIELD(DirectHead, asks),
         FIELD(DirectHead, counts), FIELD(DirectHead, note), FIELD(DirectHead, team),
         FIELD(DirectHead, sender), FIELD(DirectHead, context), FIELD(DirectHead, target)}}},
      {"Envelope",
       {sizeof(Envelope),
        {FIELD(Envelope, team), FIELD(Envelope, to), FIELD(Envelope, from), FIELD(Envelope, tag),
         FIELD(Envelope, sequence), FIELD(Envelope, bytes), FIELD(Envelope, origin),
         FIELD(Envelope, forwards), FIELD(Envelope, sender), FIELD(Envelope, asks),
         FIELD(Envelope, counts), FIELD(Envelope, note), FIELD(Envelope, unused),
         FIELD(Envelope, context)}}},
      {"TakeBackHead",
       {sizeof(TakeBackHead),
        {FIELD(TakeBackHead, context), FIELD(TakeBackHead, answer_context),
         FIELD(TakeBackHead, sequence), FIELD(TakeBackHead, answer_tag),
         FIELD(TakeBackHead, answer_note), FIELD(TakeBackHead, padding)}}},
      {"PullHead",
       {sizeof(PullHead),
        {FIELD(PullHead, kind), FIELD(PullHead, tag), FIELD(PullHead, original)}}},
      {"ReceiptHead",
       {sizeof(ReceiptHead),
        {FIELD(ReceiptHead, kind), FIELD(ReceiptHead, padding), FIELD(ReceiptHead, sender),
         FIELD(ReceiptHead, parcel)}}},
      {"MemberAtHead",
       {sizeof(MemberAtHead),
        {FIELD(MemberAtHead, kind), FIELD(MemberAtHead, rank), FIELD(MemberAtHead, team),
         FIELD(MemberAtHead, target), FIELD(MemberAtHead, index), FIELD(MemberAtHead, hops)}}},
      {"RoomHead",
       {sizeof(RoomHead),
        {FIELD(RoomHead, kind), FIELD(RoomHead, sender), FIELD(RoomHead, receiver),
         FIELD(RoomHead, padding), FIELD(RoomHead, target), FIELD(RoomHead, team),
         FIELD(RoomHead, bytes)}}},
      {"TeamHead",
       {sizeof(TeamHead), {FIELD(TeamHead, kind), FIELD(TeamHead, good), FIELD(TeamHead, team)}}},
      {"GatherHead",
       {sizeof(GatherHead),
        {FIELD(GatherHead, kind), FIELD(GatherHead, what), FIELD(GatherHead, team),
         FIELD(GatherHead, number), FIELD(GatherHead, root), FIELD(GatherHead, bytes),
         FIELD(GatherHead, count), FIELD(GatherHead, combine), FIELD(GatherHead, root_member),
         FIELD(GatherHead, root_request), FIELD(GatherHead, parts), FIELD(GatherHead, has_blob),
         FIELD(GatherHead, along), FIELD(GatherHead, verdict), FIELD(GatherHead, in_order),
         FIELD(GatherHead, modes), FIELD(GatherHead, blob), FIELD(GatherHead, entries),
         FIELD(GatherHead, op)}}},
      {"EntryHead",
       {sizeof(EntryHead),
        {FIELD(EntryHead, index), FIELD(EntryHead, level), FIELD(EntryHead, bytes)}}},
      {"LateResultHead",
       {sizeof(LateResultHead),
        {FIELD(LateResultHead, kind), FIELD(LateResultHead, verdict), FIELD(LateResultHead, bytes),
         FIELD(LateResultHead, member), FIELD(LateResultHead, request)}}},
      {"LoadsAlong",
       {sizeof(LoadsAlong),
        {FIELD(LoadsAlong, load), FIELD(LoadsAlong, busiest), FIELD(LoadsAlong, computed_s),
         FIELD(LoadsAlong, balancing_s), FIELD(LoadsAlong, not_blocking)}}},
      {"DiffuseHead",
       {sizeof(DiffuseHead),
        {FIELD(DiffuseHead, kind), FIELD(DiffuseHead, stage), FIELD(DiffuseHead, team),
         FIELD(DiffuseHead, number), FIELD(DiffuseHead, root), FIELD(DiffuseHead, round)}}},
      {"DiffuseTotals",
       {sizeof(DiffuseTotals),
        {FIELD(DiffuseTotals, load_s), FIELD(DiffuseTotals, most_s), FIELD(DiffuseTotals, off_s),
         FIELD(DiffuseTotals, named)}}},
      {"DiffuseCourse",
       {sizeof(DiffuseCourse),
        {FIELD(DiffuseCourse, goal_s), FIELD(DiffuseCourse, ideal_s), FIELD(DiffuseCourse, model),
         FIELD(DiffuseCourse, named), FIELD(DiffuseCourse, most),
         FIELD(DiffuseCourse, proportion_s), FIELD(DiffuseCourse, second)}}},
      {"Sums",
       {sizeof(Sums),
        {FIELD(Sums, rank), FIELD(Sums, node), FIELD(Sums, load_s), FIELD(Sums, speed),
         FIELD(Sums, room_bytes)}}},
      {"Token",
       {sizeof(Token),
        {FIELD(Token, thread), FIELD(Token, load_s), FIELD(Token, bytes), FIELD(Token, rank),
         FIELD(Token, node), FIELD(Token, fixed), FIELD(Token, block)}}},
      {"DiffuseOutcome",
       {sizeof(DiffuseOutcome),
        {FIELD(DiffuseOutcome, before_s), FIELD(DiffuseOutcome, after_s),
         FIELD(DiffuseOutcome, move_s), FIELD(DiffuseOutcome, moves)}}},
      {"DiffuseNote",
       {sizeof(DiffuseNote),
        {FIELD(DiffuseNote, rank), FIELD(DiffuseNote, to), FIELD(DiffuseNote, before_s),
         FIELD(DiffuseNote, after_s), FIELD(DiffuseNote, thread), FIELD(DiffuseNote, bytes)}}},
      {"PlaceHead", {sizeof(PlaceHead), {FIELD(PlaceHead, rank), FIELD(PlaceHead, moves)}}},
      {"ProgressHead",
       {sizeof(ProgressHead),
        {FIELD(ProgressHead, kind), FIELD(ProgressHead, rank), FIELD(ProgressHead, counts)}}},
      {"HomeHead", {sizeof(HomeHead), {FIELD(HomeHead, kind), FIELD(HomeHead, home)}}},
      {"MembersHomeHead",
       {sizeof(MembersHomeHead),
        {FIELD(MembersHomeHead, kind), FIELD(MembersHomeHead, size), FIELD(MembersHomeHead, team),
         FIELD(MembersHomeHead, first), FIELD(MembersHomeHead, count)}}},
      {"TeamKnownHead",
       {sizeof(TeamKnownHead),
        {FIELD(TeamKnownHead, kind), FIELD(TeamKnownHead, size), FIELD(TeamKnownHead, team)}}},
      {"GatheredHead",
       {sizeof(GatheredHead),
        {FIELD(GatheredHead, kind), FIELD(GatheredHead, size), FIELD(GatheredHead, came),
         FIELD(GatheredHead, waiters)}}},
      {"CheckpointAskHead",
       {sizeof(CheckpointAskHead),
        {FIELD(CheckpointAskHead, kind), FIELD(CheckpointAskHead, asker_rank),
         FIELD(CheckpointAskHead, asker)}}},
      {"CheckpointOrderHead",
       {sizeof(CheckpointOrderHead),
        {FIELD(CheckpointOrderHead, kind), FIELD(CheckpointOrderHead, order),
         FIELD(CheckpointOrderHead, round), FIELD(CheckpointOrderHead, targets),
         FIELD(CheckpointOrderHead, number), FIELD(CheckpointOrderHead, base),
         FIELD(CheckpointOrderHead, watch), FIELD(CheckpointOrderHead, looks)}}},
      {"CheckpointReplyHead",
       {sizeof(CheckpointReplyHead),
        {FIELD(CheckpointReplyHead, kind), FIELD(CheckpointReplyHead, order),
         FIELD(CheckpointReplyHead, round), FIELD(CheckpointReplyHead, good),
         FIELD(CheckpointReplyHead, failed), FIELD(CheckpointReplyHead, found),
         FIELD(CheckpointReplyHead, sent), FIELD(CheckpointReplyHead, received),
         FIELD(CheckpointReplyHead, threads), FIELD(CheckpointReplyHead, bytes),
         FIELD(CheckpointReplyHead, copied)}}},
      {"CheckpointDoneHead",
       {sizeof(CheckpointDoneHead),
        {FIELD(CheckpointDoneHead, kind), FIELD(CheckpointDoneHead, code),
         FIELD(CheckpointDoneHead, asker)}}},
      {"CheckpointCopyHead",
       {sizeof(CheckpointCopyHead),
        {FIELD(CheckpointCopyHead, kind), FIELD(CheckpointCopyHead, last),
         FIELD(CheckpointCopyHead, number), FIELD(CheckpointCopyHead, bytes),
         FIELD(CheckpointCopyHead, offset), FIELD(CheckpointCopyHead, base)}}},
      {"CheckpointCopiedHead",
       {sizeof(CheckpointCopiedHead),
        {FIELD(CheckpointCopiedHead, kind), FIELD(CheckpointCopiedHead, good),
         FIELD(CheckpointCopiedHead, number)}}},
      {"CheckpointPagesHead",
       {sizeof(CheckpointPagesHead),
        {FIELD(CheckpointPagesHead, kind), FIELD(CheckpointPagesHead, round),
         FIELD(CheckpointPagesHead, known), FIELD(CheckpointPagesHead, padding)}}},
  };
  return layouts;
}

TEST(WireTest, TheDocumentsSayHowHeadsLieInMemory) {
  const std::map<std::string, Layout> said = documented();
  for (const auto& [name, layout] : real()) {
    ASSERT_TRUE(said.contains(name)) << name << " is in no document";
    EXPECT_EQ(said.at(name).bytes, layout.bytes) << name;
    for (const auto& [field, place] : layout.fields) {
      ASSERT_TRUE(said.at(name).fields.contains(field)) << name << "." << field;
      EXPECT_TRUE(said.at(name).fields.at(field) == place)
          << name << "." << field << " is " << place.bytes << " bytes at " << place.offset;
    }
    EXPECT_EQ(said.at(name).fields.size(), layout.fields.size()) << name;
  }
  EXPECT_EQ(said.size(), real().size());
}

// What the example says in words, written by the program, is what it says in bytes.
TEST(WireTest, TheExampleOfAnImageIsWhatTheProgramWrites) {
  const Range slot{0x200100100000, 320 << 10};
  const Range span{0x2c0000000000, 64 << 10};
  Image image;
  image.marks = {{slot, kSlotMark, 0}, {span, kSpanMark, 0}};
  image.runs = {{0x20010014f5e0, 2016}, {span.begin, 1344}};
  image.bytes = 3360;
  const ImageHead head{.version = kImageVersion,
                       .what = ImageOf::kThread,
                       .marks = 2,
                       .runs = 2,
                       .id = std::uint64_t{1} << 40 | 5,
                       .control = reinterpret_cast<Tcb*>(0x20010014fa80),
                       .bytes = image.bytes,
                       .sleep_left_ns = -1};
  const CarryHead carry{Kind::kImage, 7, 0, 0, {}};
  std::vector<unsigned char> written(sizeof carry + lists_bytes(image));
  MemorySink sink(reinterpret_cast<char*>(written.data()));
  sink.copy(&carry, sizeof carry);
  write_lists(head, image, sink);
  EXPECT_EQ(example_in("docs/image.md"), written);
}

TEST(WireTest, TheExampleOfAMessageIsWhatTheProgramSends) {
  const auto id = [](std::uint64_t rank, std::uint64_t number) {
    return (rank + 1) << 40 | number;
  };
  MoveHead head;
  std::memset(&head, 0, sizeof head);
  head.kind = Kind::kMove;
  head.to = 3;
  head.target = {id(1, 2), reinterpret_cast<Tcb*>(0x21800014f440)};
  head.asker = {id(0, 5), reinterpret_cast<Tcb*>(0x20010014fa80)};
  head.asker_rank = 0;
  std::vector<unsigned char> written(sizeof head);
  std::memcpy(written.data(), &head, sizeof head);
  EXPECT_EQ(example_in("docs/wire.md"), written);
}

// MPI tells where a direct letter comes from and how long it is; nothing else is lost.
TEST(WireTest, ADirectLetterSaysAllThatALetterDoes) {
  const LetterHead letter{.kind = Kind::kLetter,
                          .padding = 0,
                          .envelope = {.team = UINT64_MAX - 1,
                                       .to = INT32_MAX,
                                       .from = INT32_MAX - 1,
                                       .tag = INT32_MIN,
                                       .sequence = UINT32_MAX,
                                       .bytes = 8000,
                                       .origin = 7,
                                       .forwards = 0,
                                       .sender = UINT64_MAX - 2,
                                       .asks = 1,
                                       .counts = 1,
                                       .note = UINT16_MAX,
                                       .unused = 0,
                                       .context = UINT64_MAX - 3},
                          .target = {UINT64_MAX - 4, reinterpret_cast<Tcb*>(UINT64_MAX - 5)},
                          .original = nullptr};
  const LetterHead got = letter_head(direct_head(letter.envelope, letter.target), 7, 8000);
  EXPECT_EQ(std::memcmp(&got, &letter, sizeof letter), 0);
}

// What follows the message in memory is not a part of it.
TEST(WireTest, ATextIsSentAsFarAsItGoes) {
  for (const std::size_t length : {0, 1, 19, 198, 199, 500}) {
    MovedHead head{Kind::kMoved, Errc::not_running, {}, {}};
    const std::string why(length, 'y');
    copy_text(head.why, why.c_str());
    const std::size_t bytes = bytes_to_why(head);
    EXPECT_EQ(bytes, offsetof(MovedHead, why) + std::min<std::size_t>(length, 199) + 1);
    std::vector<char> memory(sizeof head + 100, 'x');
    std::memcpy(memory.data(), &head, bytes);
    const auto got = read_to_why<MovedHead>(memory.data(), bytes);
    EXPECT_EQ(std::string(got.why), why.substr(0, 199));
    EXPECT_EQ(got.code, Errc::not_running);
  }
}

// The kinds of message.h, by number.
std::map<std::size_t, std::string> kinds_of_the_program() {
  std::ifstream file("runtime/net/message.h");
  std::map<std::size_t, std::string> kinds;
  const std::regex kind(R"(  (k[A-Z]\w+) = (\d+),.*)");
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (std::regex_match(line, match, kind)) kinds[std::stoul(match[2])] = match[1];
  return kinds;
}

TEST(WireTest, EveryKindHasATableUnderItsName) {
  std::ifstream file("docs/wire.md");
  std::map<std::size_t, std::vector<std::string>> tables, no_longer;
  const std::regex kind(R"(\b(k[A-Z]\w+) (\d+))");
  bool under_heading = false, retired = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) {
      under_heading = true;
      retired = line == "### Numbers that are no longer sent";
    } else if (under_heading && !line.empty()) {
      under_heading = false;
      for (std::sregex_iterator at(line.begin(), line.end(), kind), end; at != end; ++at)
        (retired ? no_longer : tables)[std::stoul((*at)[2])].push_back((*at)[1]);
    }
  }
  const std::map<std::size_t, std::string> kinds = kinds_of_the_program();
  EXPECT_EQ(tables.size(), kinds.size());
  for (const auto& [number, name] : kinds)
    EXPECT_EQ(tables[number], std::vector<std::string>{name}) << "kind " << number;
  for (std::size_t k = 1; k < kKinds; ++k)
    EXPECT_EQ(kinds.contains(k), !no_longer.contains(k)) << "kind " << k;
  EXPECT_EQ(kinds.size() + no_longer.size(), kKinds - 1);
}

TEST(WireTest, NumbersHaveTheirMeanings) {
  std::ifstream file("docs/wire.md");
  std::stringstream document;
  document << file.rdbuf();
  const std::string said = document.str();
  std::uint32_t collectives = 0;
  for (std::string name;; ++collectives) {
    name = to_string(static_cast<detail::CollectiveKind>(collectives + 1));
    if (name == "?") break;
    const std::string row = "\n| " + std::to_string(collectives + 1) + " | " + name + " | ";
    EXPECT_NE(said.find(row), std::string::npos) << row;
  }
  EXPECT_GE(collectives, 10u);
  std::string models;
  std::size_t model = 0;
  for (const std::string_view name : balance::load_model_names()) {
    models += (model == 0 ? "" : ", ") + std::to_string(model) + " " + std::string(name);
    ++model;
  }
  EXPECT_NE(said.find(": " + models + " ("), std::string::npos) << models;
}

}  // namespace
}  // namespace roam::runtime
