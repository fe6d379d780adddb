#ifndef DEMOS_LOAD_BALANCE_TIMELINE_H_
#define DEMOS_LOAD_BALANCE_TIMELINE_H_

#include <ostream>
#include <string>
#include <vector>

#include "demos/load_balance/record.h"

// Draws `runs` as SVG, one above the other on one time axis. Each rank is a lane; what a thread
// computes there is a band, as high as the share of a core that it had, so that a lane's coloured
// area is the rank's busy time. Colours are of threads, hues of the ranks that the threads were
// dealt to. Moves are arcs from lane to lane. `caption` goes below.
void draw_timeline(std::ostream& out, const std::vector<Run>& runs, int ranks,
                   const std::string& caption);

#endif  // DEMOS_LOAD_BALANCE_TIMELINE_H_
