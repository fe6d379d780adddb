#ifndef DEMOS_COMMON_TILING_H_
#define DEMOS_COMMON_TILING_H_

#include <vector>

// Cells [x_begin, x_end) x [y_begin, y_end) of a grid.
struct Tile {
  int x_begin, x_end, y_begin, y_end;
  int width() const { return x_end - x_begin; }
  int height() const { return y_end - y_begin; }
};

// A square grid of cells cut into tiles, as square as can be, one for each member of a team. They
// are numbered down the columns of tiles, so members that begin on one rank make a strip:
//
//     0 | 3 | 6
//     1 | 4 | 7
//     2 | 5 | 8
class Tiling {
 public:
  // Units: cells along a side of the grid; tiles. REQUIRES: fits(cells, tiles).
  Tiling(int cells, int tiles);
  // Whether each tile has a cell.
  static bool fits(int cells, int tiles);

  int columns() const { return columns_; }
  int rows() const { return rows_; }
  Tile tile(int index) const;
  // The tile that holds a cell.
  int owner(int x, int y) const { return column_of_[x] * rows_ + row_of_[y]; }
  // The tiles that hold what was in tile `index` when all of it has gone (dx, dy) cells on a
  // periodic grid, in ascending order.
  std::vector<int> owners_after(int index, int dx, int dy) const;

 private:
  int cells_;
  int columns_;
  int rows_;
  std::vector<int> column_of_;  // of tiles, by x
  std::vector<int> row_of_;     // by y
};

#endif  // DEMOS_COMMON_TILING_H_
