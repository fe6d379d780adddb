#ifndef DEMOS_LOAD_BALANCE_SVG_H_
#define DEMOS_LOAD_BALANCE_SVG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Pieces of SVG as text.

struct Point {
  double x = 0;
  double y = 0;
};

// As sprintf, up to 1023 characters.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// `text` with what XML reserves replaced; control characters become '?'.
std::string escaped(std::string_view text);

// <text> of CSS class `style` at its baseline's left end (or where the class anchors it).
std::string text_at(Point at, std::string_view style, std::string_view text);

// The d attribute of the area between two lines of the same x, `top` and `bottom`. Points that
// change it by no more than a tenth of a pixel or so are left out.
std::string area(const std::vector<Point>& top, const std::vector<Point>& bottom);

// A colour of equal lightness whatever the hue (degrees), as #rrggbb.
// Source: Björn Ottosson 2020, "A perceptual color space for image processing" (OKLab).
std::string oklch(double lightness, double chroma, double hue);

#endif  // DEMOS_LOAD_BALANCE_SVG_H_
