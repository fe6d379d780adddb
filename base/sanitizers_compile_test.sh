#!/usr/bin/env bash
# What each sanitizer compiles of base/sanitizers is C++ without warnings.
set -eu
for options in "" "-DROAM_ASAN -fsanitize=address" "-DROAM_TSAN -fsanitize=thread" "-fsanitize=undefined"; do
  # shellcheck disable=SC2086
  g++ -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I. $options base/sanitizers.cc
  echo "ok: ${options:-none}"
done
