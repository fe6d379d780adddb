#include "mpi/image/standard_streams.h"

#include "base/text.h"
#include "mpi/image/process_calls.h"

namespace roam::mpi {
namespace {

struct Variable {
  const char* name;
  FILE** place;
  FILE* stream;  // as the process begins
};
Variable variables[] = {
    {"stdin", &stdin, stdin}, {"stdout", &stdout, stdout}, {"stderr", &stderr, stderr}};

}  // namespace

void StandardStreams::find_copies(const ModuleLayout& program, Address begin) {
  for (const ModuleLayout::Copy& c : program.copies) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (c.module == Layout::kProcess && c.source == reinterpret_cast<Address>(variables[i].place))
        copies_[i] = reinterpret_cast<FILE**>(begin + c.offset);
    }
  }
}

void StandardStreams::look() {
  for (std::size_t i = 0; i < kCount; ++i) {
    const Variable& v = variables[i];
    const bool copy_differs = copies_[i] != nullptr && *copies_[i] != v.stream;
    if (!copy_differs && *v.place == v.stream) [[likely]]
      continue;
    *v.place = v.stream;
    seen_[i] = any_ = true;
  }
}

void StandardStreams::tell() {
  if (!any_) [[likely]]
    return;
  any_ = false;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (!seen_[i] || told_[i]) continue;
    told_[i] = true;
    report_refused(text("another stream in the variable %s", variables[i].name).c_str(),
                   "it is the process's, of all of its virtual ranks, and printf and its kin go on "
                   "where it went. Use fprintf to the stream that fopen gives");
  }
}

}  // namespace roam::mpi
