#ifndef DEMOS_LOAD_BALANCE_BANDS_H_
#define DEMOS_LOAD_BALANCE_BANDS_H_

#include <cstddef>
#include <vector>

#include "demos/load_balance/record.h"

// A thread's stay on a rank, in columns of equal time. Heights are shares of a core.
struct Band {
  const Result* result = nullptr;
  std::size_t first_column = 0;
  std::vector<double> height;  // the thread's share, by column from first_column on
  std::vector<double> base;    // what it stands on: the bands below it

  std::size_t end_column() const { return first_column + height.size(); }
  // Middle of the band in the column of the page nearest to `column`.
  double middle(double column) const;
};

// The bands of `run` by rank, stacked in the order of the results. The columns, each of
// `column_ns`, begin at run.begin_ns. A turn's CPU time is spread over the time in which the thread
// waited for the turn, so a thread that takes turns with others is a level band; together a lane's
// bands are as high as the share of a core that the rank used, and their area is its CPU time, both
// smoothed a little.
std::vector<std::vector<Band>> bands_by_rank(const Run& run, int ranks, double column_ns);

#endif  // DEMOS_LOAD_BALANCE_BANDS_H_
