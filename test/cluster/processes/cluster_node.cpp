// A node of the tests with processes: does what it reads, line by line, and writes what happens.
//
//   reads                    writes
//                            "node INCARNATION" at the start
//   "listen ADDRESS:PORT"    "listening PORT" or "failed ERROR TEXT"
//   "join ADDRESS:PORT"      "joined" or "failed ERROR TEXT"
//   "put NAME COUNT SIZE"    "done": so many objects of so many bytes
//   "promise NAME"           "done": one that is not there yet
//   "keep NAME SIZE"         "done": it is, with so many bytes
//   "send NAME INCARNATION"  "done": all in one message
//   "get NAME"               "read NAME COUNT SIZE" or "error NAME ERROR", when it is there
//   "view NAME"              "viewing NAME COUNT SIZE", and keeps the views
//   "check NAME"             "intact NAME", if that is so of what it views
//   "close NAME"             "done": views no longer
//   "used -"                 "used BYTES" of the node's own arena
//   "pulled COUNT"           "pulled", when so many values have been pulled here
//   "figure NAME"            "figure NAME VALUE" of the node
//   "data-port -"            "data-port PORT" of the data port
//   "calls NAME"             "calls NAME CALL": the first system call of reading it again, and
//                            again; "none", or "unknown" where that cannot be found out
//   "nest NAME"              "nested ID" of an object whose value holds them, which is kept
//   "drop NAME"              "done"
//   "finish NAME"            "finished NAME" when all of it, if any, is read or an error; drops it
//   "publish NAME"           "done": the first of them
//   "unpublish NAME"         "done"
//   "lookup NAME LIMIT"      "done", within so many milliseconds: one under this name
//   "empty -"                "nothing left", when it is so
//   "leave -"                "left", and ends
//                            "got NAME COUNT" for a message
//                            "+INCARNATION" and "-INCARNATION REASON" for members

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <cereal/types/vector.hpp>

#include <mobula/actors/reports/node_report.hpp>
#include <mobula/mobula.hpp>

#include "../../runtime/spoken_lines.hpp"
#include "node_shelf.hpp"
#include "system_call_watch.hpp"

#include "mobula/actors/caf/registry_key.hpp"

using mobula::test::content;
using mobula::test::content_ref;
using mobula::test::pattern;
using mobula::test::say;
using mobula::test::shelf;
using mobula::test::tell;

namespace {

/// References under a name, as they travel from process to process.
struct letter {
  std::string name;
  std::vector<content_ref> refs;
};
MOBULA_MESSAGE(letter, name, refs)

/// A value that holds references.
struct box {
  std::vector<content_ref> inner;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(inner);
  }
};

constexpr auto mailbox_name = mobula::registry_key("mailbox");

class program {
public:
  explicit program(mobula::node& node) : node_(node), cluster_(node) {
    mailbox_ = node.system().spawn<caf::hidden>([kept = kept_](caf::event_based_actor*) {
      return caf::behavior{[kept](letter& message) {
        auto count = message.refs.size();
        kept->put(message.name, std::move(message.refs));
        say("got " + message.name + " " + std::to_string(count));
      }};
    });
    node.system().registry().put(mailbox_name, caf::actor_cast<caf::strong_actor_ptr>(mailbox_));
    say("node " + to_string(node.incarnation()));
  }

  program(const program&) = delete;
  program& operator=(const program&) = delete;

  ~program() {
    node_.system().registry().erase(mailbox_name);
    // CAF keeps an actor whose handle it has sent until that ends, and crashes at its own end if
    // that is never.
    caf::scoped_actor self{node_.system()};
    self->send_exit(mailbox_, caf::exit_reason::user_shutdown);
    self->wait_for(mailbox_);
  }

  void run() {
    std::string command;
    std::string argument;
    while (std::cin >> command >> argument && command != "leave") {
      try {
        follow(command, argument);
      } catch (const mobula::object_error& error) {
        say("failed " + std::string{to_string(error.type())} + " " + error.info().message);
      }
    }
    cluster_.leave();
    say("left");
  }

private:
  void follow(const std::string& command, const std::string& argument) {
    if (command == "listen")
      return listen(argument);
    if (command == "join")
      return join(argument);
    if (command == "get")
      return read(argument);
    if (command == "empty")
      return await_nothing();
    if (command == "view")
      return keep_views(argument);
    if (command == "finish")
      return finish(argument);
    if (command == "check")
      return check(argument);
    if (command == "used")
      return say("used " + std::to_string(node_.stats().arena_used_bytes));
    if (command == "pulled")
      return await_pulled(std::stoull(argument));
    if (command == "nest")
      return nest(argument);
    if (command == "figure")
      return say_figure(argument);
    if (command == "data-port")
      return say_data_port();
    if (command == "calls")
      return watch_calls(argument);
    if (command == "watcher-reads")
      return read_in_watcher(argument);
    if (command == "put")
      put(argument);
    else if (command == "promise")
      promise(argument);
    else if (command == "keep")
      keep();
    else if (command == "send")
      send(argument);
    else if (command == "drop")
      kept_->drop(argument);
    else if (command == "free")
      node_.free(kept_->take(argument));
    else if (command == "close")
      views_.erase(argument);
    else if (command == "publish")
      node_.publish(argument, kept_->look_up(argument).at(0));
    else if (command == "unpublish")
      node_.unpublish(argument);
    else if (command == "lookup")
      look_up(argument);
    say("done");
  }

  void say_data_port() {
    const auto& where = node_.core().own_endpoint().where;
    say("data-port " + std::to_string(where.empty() ? 0 : where.front().port));
  }

  static std::size_t number() {
    std::size_t result = 0;
    std::cin >> result;
    return result;
  }

  // -- the cluster --------------------------------------------------------------------------------

  void listen(const std::string& where) {
    auto [address, port] = mobula::parse_endpoint("mobula.listen", where);
    auto actual = cluster_.listen(address, port);
    say("listening " + std::to_string(actual));
    cluster_.watch(tell);
  }

  void join(const std::string& where) {
    auto [address, port] = mobula::parse_endpoint("mobula.join", where);
    cluster_.join(address, port);
    say("joined");
  }

  // -- references ---------------------------------------------------------------------------------

  void put(const std::string& name) {
    auto count = number();
    auto size = number();
    auto bytes = pattern(size);
    std::vector<content_ref> refs;
    for (std::size_t index = 0; index < count; ++index)
      refs.push_back(node_.put(content{bytes}));
    kept_->put(name, std::move(refs));
  }

  void promise(const std::string& name) {
    promise_.emplace(node_.make_promise<content>());
    kept_->put(name, {promise_->ref()});
  }

  void keep() {
    auto bytes = pattern(number());
    promise_->set_value(content{bytes});
    promise_.reset();
  }

  void nest(const std::string& name) {
    boxes_.push_back(node_.put(box{kept_->look_up(name)}));
    say("nested " + to_string(boxes_.back().id()));
  }

  void look_up(const std::string& name) {
    std::chrono::milliseconds limit{number()};
    kept_->put(name, {node_.lookup<content>(name, limit)});
  }

  void send(const std::string& name) {
    std::string receiver;
    std::cin >> receiver;
    for (const auto& member : cluster_.members())
      if (to_string(member.record.incarnation) == receiver) {
        auto mailbox = node_.system().middleman().remote_lookup(mailbox_name, member.process);
        caf::anon_send(caf::actor_cast<caf::actor>(mailbox), letter{name, kept_->look_up(name)});
        return;
      }
    say("failed " + receiver + " is no member");
  }

  void read(const std::string& name) {
    node_.system().spawn<caf::hidden>(
      [name, refs = kept_->look_up(name)](caf::event_based_actor* self) {
        mobula::get_all(self, refs).then([name](const mobula::outcomes<content>& results) {
          say(describe(name, results));
        });
      });
  }

  /// The watcher is called for each member at once, in the actor that asks other nodes.
  void read_in_watcher(const std::string& name) {
    cluster_.watch([this, name, refs = kept_->look_up(name)](const mobula::member_event&) {
      auto text = "watcher " + name;
      for (const auto& read :
           std::vector<std::function<void()>>{[&] { static_cast<void>(node_.get(refs.at(0))); },
                                              [&] { static_cast<void>(node_.get_all(refs)); },
                                              [&] {
                                                static_cast<void>(node_.wait(refs, refs.size()));
                                              }})
        try {
          read();
          text += " read";
        } catch (const mobula::object_error& error) {
          text += " " + std::string{to_string(error.type())};
        }
      say(text);
    });
  }

  void finish(const std::string& name) {
    static_cast<void>(node_.get_all(kept_->take(name)));
    say("finished " + name);
  }

  void keep_views(const std::string& name) {
    auto& views = views_[name];
    std::size_t size = 0;
    for (const auto& ref : kept_->look_up(name)) {
      views.push_back(node_.get(ref));
      size += views.back()->size();
    }
    say("viewing " + name + " " + std::to_string(views.size()) + " " + std::to_string(size));
  }

  void check(const std::string& name) {
    for (const auto& view : views_.at(name))
      if (!std::ranges::equal(*view, pattern(view->size())))
        return say("failed " + name + " has changed");
    say("intact " + name);
  }

  /// What is got for the first time is not what is watched.
  void watch_calls(const std::string& name) {
    const auto refs = kept_->look_up(name);
    for (const auto& ref : refs)
      static_cast<void>(node_.get(ref));
    mobula::test::system_call_watch watch;
    if (!watch.usable())
      return say("calls " + name + " unknown");
    constexpr int rounds = 1'000;
    auto call = watch.first_call_of([&] {
      for (int round = 0; round < rounds; ++round)
        for (const auto& ref : refs)
          last_read_ = *node_.get(ref)->data();
    });
    say("calls " + name + " " + (call ? std::to_string(*call) : "none"));
  }

  static std::string describe(const std::string& name, const mobula::outcomes<content>& results) {
    std::size_t size = 0;
    for (const auto& result : results) {
      if (result.has_error())
        return "error " + name + " " + std::string{to_string(result.error().type)};
      size += result.value()->size();
    }
    return "read " + name + " " + std::to_string(results.size()) + " " + std::to_string(size);
  }

  /// Messages of others and timers of this node bring it about; asking for the figures takes part
  /// in all of the node's actors. What takes longer than any grace period of the tests is a leak.
  void await_nothing() {
    auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    auto stats = node_.stats();
    while (!stats.nothing_left() && std::chrono::steady_clock::now() < end)
      stats = node_.stats();
    if (stats.nothing_left())
      return say("nothing left");
    // What a test waits for is a line.
    auto left = to_string(stats);
    std::replace(left.begin(), left.end(), '\n', ';');
    say("failed left is " + left);
  }

  /// Asking for the figures takes part in all of the node's actors.
  void await_pulled(std::uint64_t count) {
    auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (node_.stats().pulled.objects < count && std::chrono::steady_clock::now() < end)
      continue;
    say(node_.stats().pulled.objects >= count ? "pulled" : "failed pulled no more");
  }

  void say_figure(const std::string& name) {
    for (const auto& [known, value] : figures_of(node_.stats()))
      if (known == name)
        return say("figure " + name + " " + std::to_string(value));
    say("failed there is no figure " + name);
  }

  mobula::node& node_;
  mobula::cluster cluster_;
  caf::actor mailbox_;
  std::optional<mobula::promise<content>> promise_;
  std::byte last_read_{};
  std::vector<mobula::ObjectRef<box>> boxes_;
  std::map<std::string, std::vector<mobula::view<content>>> views_;
  std::shared_ptr<shelf> kept_ = std::make_shared<shelf>();
};

/// A program that joins by code, so it loads the middleman itself.
struct node_config : mobula::config {
  node_config() {
    load<caf::io::middleman>();
    mobula::add_messages<letter>(*this);
  }
};

} // namespace

int main(int argument_count, char** arguments) {
  return mobula::run_main<node_config>(
    argument_count, arguments,
    [](mobula::node& node, const mobula::config&) { program{node}.run(); });
}
