#include "demos/common/tiling.h"

#include <cmath>
#include <set>

namespace {

// The divisor of `tiles` that is nearest to its root from below.
int rows_of(int tiles) {
  int rows = static_cast<int>(std::sqrt(tiles));
  while (tiles % rows != 0) --rows;
  return rows;
}

// Where part i of `cells` cut in `parts` begins.
int begin_of(int i, int cells, int parts) {
  return static_cast<int>(static_cast<long>(i) * cells / parts);
}

std::vector<int> part_of_each(int cells, int parts) {
  std::vector<int> part;
  part.reserve(static_cast<std::size_t>(cells));
  for (int i = 0; i < parts; ++i)
    part.resize(static_cast<std::size_t>(begin_of(i + 1, cells, parts)), i);
  return part;
}

// The parts that cells [begin, end) are in when they have gone `by` cells round.
std::set<int> parts_after(const std::vector<int>& part_of, int begin, int end, int by) {
  const int cells = static_cast<int>(part_of.size());
  std::set<int> parts;
  for (int i = begin; i < end; ++i)
    parts.insert(part_of[static_cast<std::size_t>(((i + by) % cells + cells) % cells)]);
  return parts;
}

}  // namespace

Tiling::Tiling(int cells, int tiles)
    : cells_(cells),
      columns_(tiles / rows_of(tiles)),
      rows_(rows_of(tiles)),
      column_of_(part_of_each(cells, columns_)),
      row_of_(part_of_each(cells, rows_)) {}

bool Tiling::fits(int cells, int tiles) { return tiles / rows_of(tiles) <= cells; }

Tile Tiling::tile(int index) const {
  const int column = index / rows_;
  const int row = index % rows_;
  return {begin_of(column, cells_, columns_), begin_of(column + 1, cells_, columns_),
          begin_of(row, cells_, rows_), begin_of(row + 1, cells_, rows_)};
}

std::vector<int> Tiling::owners_after(int index, int dx, int dy) const {
  const Tile t = tile(index);
  std::vector<int> owners;
  const std::set<int> rows = parts_after(row_of_, t.y_begin, t.y_end, dy);
  for (const int column : parts_after(column_of_, t.x_begin, t.x_end, dx))
    for (const int row : rows) owners.push_back(column * rows_ + row);
  return owners;
}
