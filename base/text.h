#ifndef ROAM_BASE_TEXT_H_
#define ROAM_BASE_TEXT_H_

#include <string>

namespace roam {

// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// Parses a number of bytes with an optional suffix K, M, G or T (powers of 1024) from decimal or 0x
// digits. False if `s` is anything else, or more than 2^63 - 1.
bool parse_bytes(const std::string& s, unsigned long long* bytes);

// `bytes` for people, e.g. "1.5 GiB".
std::string bytes_text(unsigned long long bytes);

}  // namespace roam

#endif  // ROAM_BASE_TEXT_H_
