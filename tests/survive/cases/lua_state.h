#ifndef ROAM_TESTS_SURVIVE_CASES_LUA_STATE_H_
#define ROAM_TESTS_SURVIVE_CASES_LUA_STATE_H_

#include <lua.hpp>
#include <memory>
#include <string>

#include "tests/support/check.h"
#include "tests/survive/mover.h"

namespace roam_test {

// A Lua interpreter whose scripts can call move(), which moves the thread that runs them.
class LuaState {
 public:
  explicit LuaState(Mover* move) : state_(luaL_newstate()) {
    expect(state_ != nullptr, "a new Lua state");
    luaL_openlibs(state_.get());
    lua_pushlightuserdata(state_.get(), move);
    lua_pushcclosure(state_.get(), call_move, 1);
    lua_setglobal(state_.get(), "move");
  }

  lua_State* get() const { return state_.get(); }

  // Runs `script`, which must return one string.
  std::string run(const std::string& script) {
    if (luaL_loadstring(get(), script.c_str()) != LUA_OK || lua_pcall(get(), 0, 1, 0) != LUA_OK) {
      fail(std::string("Lua: ") + lua_tostring(get(), -1));
    }
    const std::string result = luaL_tolstring(get(), -1, nullptr);
    lua_pop(get(), 2);
    return result;
  }

 private:
  static int call_move(lua_State* state) {
    (*static_cast<Mover*>(lua_touserdata(state, lua_upvalueindex(1))))();
    return 0;
  }
  struct Close {
    void operator()(lua_State* state) const { lua_close(state); }
  };
  std::unique_ptr<lua_State, Close> state_;
};

}  // namespace roam_test

#endif  // ROAM_TESTS_SURVIVE_CASES_LUA_STATE_H_
