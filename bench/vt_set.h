#ifndef ROAM_BENCH_VT_SET_H_
#define ROAM_BENCH_VT_SET_H_

#include <string>
#include <vector>

namespace bench {

// The files of ranks 0, 1, ... that are in directory `path`, NAME.RANK.json or NAME.RANK.json.br;
// or those whose names begin with `path`.
//
// Errors: std::runtime_error  there are none, of several NAMEs, or a rank has none or two.
std::vector<std::string> find_vt_set(const std::string& path);

// What a file has, unpacked if brotli has packed it: then it does not begin with `{`.
//
// Errors: std::runtime_error  it cannot be read or unpacked.
std::string read_unpacked(const std::string& file);

}  // namespace bench

#endif  // ROAM_BENCH_VT_SET_H_
