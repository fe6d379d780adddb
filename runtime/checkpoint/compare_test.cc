#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "runtime/checkpoint/manifest.h"

namespace roam::runtime {
namespace {

Manifest some_manifest() {
  Manifest m;
  m.layout = {"module /home/me/program at 0x555555554000, build-id 11aa",
              "module linux-vdso.so.1 at 0x7ffff7fc1000, build-id 22bb",
              "module /lib/libc.so.6 at 0x7ffff7c00000, build-id 33cc",
              "module /lib/plain.so at 0x7ffff7b00000, build-id none",
              "thread-local storage at 0x7ffff7a00740",
              "errno at 0x7ffff7a006c0",
              "cpu features 1: 00000001 00000002",
              "cpu features 7: 00000001 00000002 00000003"};
  m.arena = {0x2000'0000'0000, std::size_t{48} << 40};
  m.lease_bytes = 1 << 30;
  m.ranks = m.homes = 4;
  m.canary = 1;
  return m;
}

// What is said where `change` has been made since.
std::string after(const std::function<void(Manifest&)>& change) {
  Manifest now = some_manifest();
  change(now);
  return compare(some_manifest(), now);
}
void expect_says(const std::string& said, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(said.find(part), std::string::npos) << said << "\nhas no " << part;
}

TEST(Compare, WhatMayDifferIsNoDifference) {
  EXPECT_EQ(after([](Manifest&) {}), "");
  EXPECT_EQ(after([](Manifest& now) {
              now.ranks = now.homes = 7;
              now.canary = 2;
              now.lease_bytes = 0;  // it is not cut yet
              now.arena = {};       // nor has it to be anywhere
            }),
            "");
  EXPECT_EQ(after([](Manifest& now) {
              now.layout[0] = "module /elsewhere/program at 0x555555554000, build-id 11aa";
            }),
            "")
      << "the same program, at another place";
  EXPECT_EQ(after([](Manifest& now) {
              now.layout[1] = "module linux-vdso.so.1 at 0x7ffff7fc3000, build-id 2222";
            }),
            "")
      << "another kernel";
}

TEST(Compare, EachDifferenceIsNamed) {
  expect_says(after([](Manifest& now) {
                now.layout[0] = "module /home/me/program at 0x555555554000, build-id 99";
                now.layout[2] = "module /lib/libc.so.6 at 0x7ffff7c00000, build-id 88";
              }),
              {"the program /home/me/program", "11aa", "99", "Start the binary"});
  expect_says(after([](Manifest& now) {
                now.layout[2] = "module /lib/libc.so.6 at 0x7ffff7c00000, build-id 88";
              }),
              {"the library /lib/libc.so.6", "33cc", "88"});
  expect_says(after([](Manifest& now) {
                now.layout[2] = "module /lib/libc.so.6 at 0x7ffff7d00000, build-id 33cc";
              }),
              {"the library /lib/libc.so.6", "0x7ffff7c00000", "0x7ffff7d00000"});
  expect_says(after([](Manifest& now) {
                now.layout[3] = "module /lib/other.so at 0x7ffff7b00000, build-id none";
              }),
              {"/lib/plain.so", "/lib/other.so"});
  expect_says(after([](Manifest& now) {
                now.layout.insert(now.layout.begin() + 2,
                                  "module /lib/more.so at 0x7ffff7a00000, build-id 77");
              }),
              {"/lib/libc.so.6", "/lib/more.so"});
  expect_says(after([](Manifest& now) { now.layout[4] = "thread-local storage at 0x1"; }),
              {"0x7ffff7a00740", "0x1", "ulimit -s"});
  expect_says(after([](Manifest& now) { now.layout[7] = "cpu features 7: 0 0 0"; }),
              {"processor", "00000003"});
  expect_says(after([](Manifest& now) { now.layout.pop_back(); }), {"cpu features 7", "not here"});
  expect_says(after([](Manifest& now) { now.layout.push_back("more"); }), {"'more' is here now"});
  expect_says(after([](Manifest& now) { now.arena.bytes = 1 << 30; }),
              {"ROAM_ARENA=0x200000000000,0x300000000000"});
  expect_says(after([](Manifest& now) { now.lease_bytes = 2 << 20; }), {"0x40000000", "0x200000"});
}

}  // namespace
}  // namespace roam::runtime
