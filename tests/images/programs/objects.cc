// A plain program of C++: constructors and destructors of globals, virtual functions, exceptions
// thrown before and caught after a turn, thread_local objects, streams, containers.
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "turns.h"

namespace {

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square : Shape {
  explicit Square(double s) : side(s) {}
  double area() const override { return side * side; }
  double side;
};
struct Circle : Shape {
  explicit Circle(double r) : radius(r) {}
  double area() const override { return 3 * radius * radius; }
  double radius;
};

struct Told {
  explicit Told(const char* n) : name(n) { text << name << " made;"; }
  ~Told() { std::cout << my_number() << ": " << text.str() << " " << name << " gone\n"; }
  std::string name;
  std::ostringstream text;
};
Told global("global");
std::map<std::string, int> table{{"one", 1}, {"two", 2}};
thread_local Told of_thread("of thread");
thread_local std::vector<int> list_of_thread{1, 2, 3};

Told& local() {
  static Told once("local static");
  return once;
}

struct Mine : std::runtime_error {
  Mine(int n, const std::string& text) : std::runtime_error(text), number(n) {}
  int number;
};

int deep(int level, int me) {
  take_turn();
  std::string on_stack(50, static_cast<char>('a' + level));
  if (level == 0) throw Mine(me, "thrown by " + std::to_string(me));
  return deep(level - 1, me) + static_cast<int>(on_stack.size());
}

long made = 0;  // by the program's own operator new

}  // namespace

void* operator new(std::size_t bytes) {
  ++made;
  void* room = std::malloc(bytes == 0 ? 1 : bytes);
  if (room == nullptr) throw std::bad_alloc();
  return room;
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

int main() {
  const int me = my_number();
  int caught = 0;
  std::vector<std::unique_ptr<Shape>> shapes;
  std::mt19937 random(static_cast<unsigned>(me));
  double area = 0;
  local().text << " used by " << me << ";";
  of_thread.text << " turn";
  for (int i = 0; i < 20; ++i) {
    if (random() % 2 == 0)
      shapes.push_back(std::make_unique<Square>(i + me));
    else
      shapes.push_back(std::make_unique<Circle>(i - me));
    table["turn " + std::to_string(i % 5)] += me;
    list_of_thread.push_back(me * i);
    of_thread.text << '.';
    try {
      deep(5, me);
    } catch (const Mine& mine) {
      take_turn();
      caught += mine.number + static_cast<int>(std::string(mine.what()).size());
      try {
        take_turn();
        throw;
      } catch (const std::exception& again) {
        take_turn();
        caught += again.what()[10] - '0';
      }
    }
    for (const auto& shape : shapes) area += shape->area();
  }
  int sum = 0;
  for (const auto& [key, value] : table)
    sum = sum * 31 % 1000003 + static_cast<int>(key.size()) + value;
  for (const int value : list_of_thread) sum += value;
  const long made_before = made;
  std::vector<int>(10).swap(list_of_thread);
  std::cout << me << ": made " << made - made_before << " area " << std::fixed
            << std::setprecision(2) << area << " caught " << caught << " table " << sum
            << " uncaught " << std::uncaught_exceptions() << std::endl;
  std::ostringstream line;  // written at once: others write there too
  line << std::hex << me << ": on the error stream\n";
  std::cerr << line.str();
  return 0;
}
