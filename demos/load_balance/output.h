#ifndef DEMOS_LOAD_BALANCE_OUTPUT_H_
#define DEMOS_LOAD_BALANCE_OUTPUT_H_

#include <cstddef>
#include <string>

#include "demos/load_balance/record.h"

// Decompresses every result of `run` and compares it with the input; says on stderr what is wrong.
// Returns how many are.
std::size_t count_wrong(const Run& run);

// Makes `directory` where it does not exist.
//
// Errors: std::runtime_error naming it.
void make_directory(const std::string& directory);

// Writes `directory`/path/of/file.gz for each file of `run`. Pieces of a file are members of one
// gzip file.
//
// Errors: std::runtime_error naming the file that cannot be written.
void write_output(const Run& run, const std::string& directory);

#endif  // DEMOS_LOAD_BALANCE_OUTPUT_H_
