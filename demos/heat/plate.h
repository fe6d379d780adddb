#ifndef DEMOS_HEAT_PLATE_H_
#define DEMOS_HEAT_PLATE_H_

#include <span>
#include <vector>

#include "demos/common/tiling.h"

// A square plate under a laser that goes round on it. Heat diffuses, which is cheap: a five-point
// stencil. Where the plate is hotter than 1 it burns and glows as well: these two are stiff, so
// there each cell's own equation is integrated implicitly, in the more sub-steps the hotter it is,
// each solved by Newton's method. A cell under the laser costs some hundred times a cold one.
//
// Units: cells, steps; 1 is the temperature at which burning begins, 0 is that around the plate.

// The temperatures of a tile and of the cells next to it.
class Field {
 public:
  explicit Field(Tile tile);
  const Tile& tile() const { return tile_; }
  // Of the tile's row y, counted from 0 at its own; -1 and height() are those next to it.
  std::span<double> row(int y) { return {at(0, y), static_cast<std::size_t>(tile_.width())}; }
  std::span<const double> row(int y) const {
    return {at(0, y), static_cast<std::size_t>(tile_.width())};
  }
  // Column x, from -1 to width(), in rows 0 to before height().
  std::vector<double> column(int x) const;
  void set_column(int x, std::span<const double> values);

  double* at(int x, int y) { return cells_.data() + offset(x, y); }
  const double* at(int x, int y) const { return cells_.data() + offset(x, y); }

 private:
  std::size_t offset(int x, int y) const {
    return static_cast<std::size_t>(y + 1) * static_cast<std::size_t>(tile_.width() + 2) +
           static_cast<std::size_t>(x + 1);
  }
  Tile tile_;
  std::vector<double> cells_;
};

struct Laser {
  double x, y;   // where it is
  double width;  // standard deviation of its beam
};
// Of a plate of `cells` a side: half a turn in all `steps`.
Laser laser_at(int step, int steps, int cells);

// The temperatures a step later. A cell's depends on its own, on its four neighbours' and on
// nothing else, so it is the same in whatever tiles the plate is cut, to the last bit.
void advance(const Field& now, Field& next, const Laser& laser);

// What burning and glowing make of temperature u > 1 in a step.
double burn(double u);

#endif  // DEMOS_HEAT_PLATE_H_
