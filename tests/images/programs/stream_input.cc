// The standard input by std::cin, as libstdc++ reads it with stdio and, later, without.
#include <iostream>
#include <string>

#include "turns.h"

int main(int argc, char**) {
  const int me = my_number();
  std::ios_base::sync_with_stdio(argc == 1);
  int number = 0;
  std::string word, lines;
  int count = 0;
  while (std::cin >> number >> word) {
    take_turn();
    lines += std::to_string(me) + ": " + std::to_string(number) + " " + word + "\n";
    ++count;
    if (count % 100 == 0 && std::getline(std::cin, word)) lines += "and '" + word + "'\n";
    take_turn();
  }
  std::cout << lines << me << ": " << count << " at the end " << std::cin.eof() << "\n";
  return 0;
}
