#include "mpi/datatype/datatype.h"

#include <memory>

namespace roam::mpi {

void free_unheld(const Datatype* type) {
  // A program may have made each type of the one before, thousands of times: no recursion.
  std::vector<const Datatype*> unheld{type};
  while (!unheld.empty()) {
    std::unique_ptr<Datatype> t(const_cast<Datatype*>(unheld.back()));
    unheld.pop_back();
    for (TypeRef& r : t->contents.types) {
      const Datatype* of = r.release();
      if (of != nullptr && of->holders.drop()) unheld.push_back(of);
    }
  }
}

}  // namespace roam::mpi
