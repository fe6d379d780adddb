// What the program and its plug-ins know of each other.
#ifndef ROAM_TESTS_IMAGES_PLUGINS_PLUGIN_H_
#define ROAM_TESTS_IMAGES_PLUGINS_PLUGIN_H_

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "turns.h"

// Of the program: the number of the line, since order is told by it.
extern "C" int next_line();
#define SAY(...)                                                 \
  do {                                                           \
    char said[300];                                              \
    std::snprintf(said, sizeof said, __VA_ARGS__);               \
    std::printf("%d:%03d %s\n", my_number(), next_line(), said); \
    std::fflush(stdout);                                         \
  } while (0)

// One in a program, whoever has it and however it was opened.
template <class T>
struct Common {
  static inline int count = 0;
};

struct Thrown {
  int value;
  std::string text;
};

struct Shape {
  virtual ~Shape() = default;
  virtual int area() const = 0;
};

#endif
