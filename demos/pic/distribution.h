#ifndef DEMOS_PIC_DISTRIBUTION_H_
#define DEMOS_PIC_DISTRIBUTION_H_

#include <string_view>
#include <vector>

// How many particles start in each cell of a square grid: a random whole number that depends on the
// cell and on nothing else, so a problem is the same on any number of ranks and threads.
class Distribution {
 public:
  // About `particles` of them:
  //   geometric:RHO                   the mean of column x is proportional to RHO^x; RHO > 0, not 1
  //   sinusoidal                      to cos^2(pi x / cells)
  //   linear:ALPHA,BETA               to BETA - ALPHA x / cells, nowhere negative
  //   patch:LEFT,RIGHT,BOTTOM,TOP     the same in these columns and rows, both included; else none
  //
  // Errors: UsageError.
  Distribution(std::string_view text, int cells, double particles);

  // Of cell (x, y).
  double mean(int x, int y) const;
  int count(int x, int y) const;

 private:
  std::vector<double> column_means_;  // of a cell of column x, in rows bottom_ to top_
  int bottom_;
  int top_;
};

#endif  // DEMOS_PIC_DISTRIBUTION_H_
