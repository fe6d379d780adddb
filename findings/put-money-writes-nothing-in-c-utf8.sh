#!/usr/bin/env bash
# std::put_money writes nothing at all, and std::get_money reads nothing, in the locale C.UTF-8; in "C" both
# work.
#
# With:     Debian 12, libstdc++6 12.2.0-14+deb12u1 and glibc 2.36, whose C.UTF-8 is built in.
# Needs:    apt, g++ 12 (gcc installed); no root.
# Asked:    std::put_money(123456) to a stream, and std::get_money from the text "12345", with the classic
#           locale and with std::locale("C.UTF-8").
# Seen:     C:       "123456" is written, 12345 is read.
#           C.UTF-8: an empty text is written and the stream is good; reading fails. libc says CHAR_MAX,
#           "not given", for where sign and symbol stand; the library makes of that a pattern of four
#           times nothing, in which there is no place for the amount.
# Expected: C.UTF-8 is C with another encoding; that a stream is good means that the value was written.
# For us:   named locales are shared between ranks (decision 0015) with the facets that the library made,
#           so a thread gets the same empty text on each rank: a report that is empty there is not
#           the move's doing.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download libstdc++6=12.2.0-14+deb12u1) >/dev/null 2>&1 ||
  cannot "apt has not the package (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done

cat >money.cc <<'CC'
#include <iomanip>
#include <iostream>
#include <sstream>

int main() {
  for (const char* name : {"C", "C.UTF-8"}) {
    const std::locale locale(name);
    std::ostringstream out;
    out.imbue(locale);
    out << std::put_money(123456.0L);
    std::istringstream in("12345");
    in.imbue(locale);
    long double amount = 0;
    in >> std::get_money(amount);
    std::cout << name << ": wrote '" << out.str() << "' and is " << (out ? "good" : "not good")
              << "; reading " << (in ? "succeeds" : "fails") << '\n';
  }
}
CC
g++ -O1 money.cc -o money || cannot "no compiler"
LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu ./money >seen
cat seen
cat >expected <<'TEXT'
C: wrote '123456' and is good; reading succeeds
C.UTF-8: wrote '' and is good; reading fails
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
