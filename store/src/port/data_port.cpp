// The data port: one thread moves bulk bytes over TCP, and another reads files and compresses, so
// that the first never waits for either. What is asked of whom is decided by puller and pusher.

#include "mobula/store/port/data_port.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "data_links.hpp"
#include "data_peers.hpp"
#include "mobula/store/port/endpoint.hpp"
#include "mobula/store/system/assertion.hpp"
#include "prepared_chunk.hpp"

namespace mobula {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// How long not to accept when the system has no descriptors to spare.
constexpr std::chrono::milliseconds accept_pause{100};

/// So much is done before others hear of it, at most: bytes that arrived can be used meanwhile.
constexpr int steps_in_a_turn = 16;

} // namespace

// -- state ----------------------------------------------------------------------------

/// All that belongs to the port's thread.
class data_port::state final : public link_owner {
public:
  state(const data_port_config& config, transfer_source& source, transfer_events& events)
    : config_(config), source_(&source), events_(&events), acceptor_(io_), accept_timer_(io_),
      peers_(config.self) {
  }

  [[nodiscard]] std::optional<data_port_failure> listen();
  void start();
  void stop();

  template <class Task>
  void run(Task task) {
    asio::post(io_, std::move(task));
  }

  [[nodiscard]] const data_address& address() const noexcept {
    return config_.listen;
  }

  void admit(const incarnation_id& node, const transfer_token& token) {
    peers_.admit(node, token);
  }

  void add_peer(const incarnation_id& node, std::span<const data_address> addresses,
                const transfer_token& token) {
    peers_.add(node, addresses, token, *events_);
  }

  void remove_node(const incarnation_id& node);
  void ask(const ask_bytes& ask, std::span<std::byte> buffer);
  void cancel(ask_number ask);
  void close(const close_lane& lane);
  void send(const send_chunk& chunk);
  void refuse(const send_refusal& refusal);

  // -- link_owner -----------------------------------------------------------------

  [[nodiscard]] const data_port_config& config() const override {
    return config_;
  }

  [[nodiscard]] transfer_events& events() override {
    return *events_;
  }

  [[nodiscard]] bool believes(const hello_frame& greeting) const override {
    return peers_.believes(greeting);
  }

  [[nodiscard]] reader_connection greeted(data_link& link, const incarnation_id& node) override;

  void reached(const incarnation_id& node, const tcp::endpoint& where) override {
    peers_.reached(node, where);
  }

  void closed(data_link& link) override;

private:
  using lane_key = std::pair<incarnation_id, data_lane>;

  void accept();
  void accepted(tcp::socket socket);
  void queue(const prepared_chunk& prepared);
  [[nodiscard]] std::shared_ptr<source_link> link_to(const incarnation_id& node, data_lane lane);
  [[nodiscard]] std::vector<std::shared_ptr<data_link>> all_links() const;
  void close_everything();

  data_port_config config_;
  transfer_source* source_;
  transfer_events* events_;
  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
    io_.get_executor()};
  std::thread thread_;
  asio::thread_pool patient_{1}; ///< for what may take long
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  data_peers peers_;
  std::set<std::shared_ptr<reader_link>> strangers_; ///< have not greeted; at most `max_strangers`
  std::unordered_map<reader_connection, std::shared_ptr<reader_link>> readers_;
  std::map<lane_key, std::shared_ptr<source_link>> sources_;
  std::uint64_t connections_ = 0;
  bool stopped_ = false;
};

std::optional<data_port_failure> data_port::state::listen() {
  auto name = to_string(endpoint{config_.listen.ip, config_.listen.port});
  auto endpoint = endpoint_of(config_.listen);
  if (!endpoint)
    return data_port_failure{"data port: " + name
                             + " is no address to listen on; give one in numbers, like 127.0.0.1"};
  boost::system::error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint->address().is_v6() && endpoint->address().is_unspecified())
    acceptor_.set_option(asio::ip::v6_only(false), error);
  if (!error)
    acceptor_.bind(*endpoint, error);
  if (!error)
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return data_port_failure{"data port: cannot listen on " + name + ": " + error.message()
                             + "; choose another port, or 0 for any that is free"};
  config_.listen.port = acceptor_.local_endpoint().port();
  return std::nullopt;
}

void data_port::state::start() {
  accept();
  thread_ = std::thread{[this] {
    // What is ready at one time is told in one go.
    while (io_.run_one() > 0) {
      for (int steps = 1; steps < steps_in_a_turn && io_.poll_one() > 0;)
        ++steps;
      events_->turn_ended();
    }
  }};
}

void data_port::state::stop() {
  run([this] { close_everything(); });
  // The thread goes on while files are read and chunks compressed: their ends are to be told.
  patient_.join();
  run([this] { work_.reset(); });
  thread_.join();
}

void data_port::state::close_everything() {
  stopped_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel();
  for (const auto& link : all_links())
    link->close({});
}

std::vector<std::shared_ptr<data_link>> data_port::state::all_links() const {
  std::vector<std::shared_ptr<data_link>> result(strangers_.begin(), strangers_.end());
  for (const auto& [id, link] : readers_)
    result.push_back(link);
  for (const auto& [key, link] : sources_)
    result.push_back(link);
  return result;
}

// -- connections ----------------------------------------------------------------------

void data_port::state::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
    if (stopped_)
      return;
    if (!error) {
      accepted(std::move(socket));
      return accept();
    }
    accept_timer_.expires_after(accept_pause);
    accept_timer_.async_wait([this](const boost::system::error_code& canceled) {
      if (!canceled && !stopped_)
        accept();
    });
  });
}

void data_port::state::accepted(tcp::socket socket) {
  if (strangers_.size() >= config_.max_strangers)
    return events_->connection_refused(
      "data port: closed a new connection: too many others have not greeted yet");
  auto link = std::make_shared<reader_link>(*this, std::move(socket));
  strangers_.insert(link);
  link->start();
}

reader_connection data_port::state::greeted(data_link& link, const incarnation_id&) {
  auto self = std::static_pointer_cast<reader_link>(link.shared_from_this());
  auto id = reader_connection{++connections_};
  strangers_.erase(self);
  readers_.emplace(id, self);
  return id;
}

void data_port::state::closed(data_link& link) {
  auto self = link.shared_from_this();
  if (auto reader = std::dynamic_pointer_cast<reader_link>(self)) {
    strangers_.erase(reader);
    if (reader->is_greeted())
      readers_.erase(reader->id());
  } else if (auto source = std::dynamic_pointer_cast<source_link>(self)) {
    sources_.erase({source->node(), source->lane()});
  }
}

void data_port::state::remove_node(const incarnation_id& node) {
  peers_.remove(node);
  std::vector<std::shared_ptr<data_link>> links;
  for (const auto& [id, link] : readers_)
    if (link->node() == node)
      links.push_back(link);
  for (const auto& [key, link] : sources_)
    if (key.first == node)
      links.push_back(link);
  for (const auto& link : links)
    link->close({});
}

// -- asking ---------------------------------------------------------------------------

std::shared_ptr<source_link> data_port::state::link_to(const incarnation_id& node, data_lane lane) {
  auto known = sources_.find({node, lane});
  if (known != sources_.end())
    return known->second;
  const auto* peer = peers_.find(node);
  if (stopped_ || peer == nullptr)
    return nullptr;
  auto link = std::make_shared<source_link>(*this, tcp::socket{io_}, node, lane, peer->token);
  sources_.emplace(lane_key{node, lane}, link);
  link->connect(peer->endpoints);
  return link;
}

void data_port::state::ask(const ask_bytes& ask, std::span<std::byte> buffer) {
  auto link = link_to(ask.node, ask.lane);
  if (link == nullptr)
    return events_->ask_lost(ask.ask);
  link->ask(ask, buffer);
}

void data_port::state::cancel(ask_number ask) {
  // Rare, and nodes have few connections: an index would cost every ask.
  auto has_it = [&](const auto& known) {
    return known.second->has(ask);
  };
  auto known = std::ranges::find_if(sources_, has_it);
  if (known == sources_.end())
    return;
  auto link = known->second; // It may close, and leave the map, while it writes.
  link->cancel(ask);
}

void data_port::state::close(const close_lane& lane) {
  auto known = sources_.find({lane.node, lane.lane});
  if (known == sources_.end())
    return;
  auto link = known->second;
  link->close({});
}

// -- serving --------------------------------------------------------------------------

void data_port::state::send(const send_chunk& chunk) {
  auto known = readers_.find(chunk.connection);
  if (known == readers_.end())
    return events_->send_failed(chunk.send, send_failure::connection_lost);
  auto& meter = known->second->meter();
  auto compresses = meter.should_compress() ? compressing::yes : compressing::no;
  auto samples = meter.should_sample() ? sampling::yes : sampling::no;
  auto is_quick =
    std::holds_alternative<served_from_memory>(chunk.place) && compresses == compressing::no;
  if (is_quick)
    return queue(prepare(*source_, chunk, compresses, samples));
  asio::post(patient_, [this, chunk, compresses, samples] {
    run([this, prepared = prepare(*source_, chunk, compresses, samples)] { queue(prepared); });
  });
}

void data_port::state::queue(const prepared_chunk& prepared) {
  auto known = readers_.find(prepared.chunk.connection);
  if (known == readers_.end())
    return events_->send_failed(prepared.chunk.send, send_failure::connection_lost);
  if (!prepared.frame)
    return events_->send_failed(prepared.chunk.send, send_failure::unreadable);
  auto link = known->second;
  if (prepared.sample)
    link->meter().sampled(*prepared.sample);
  link->send(*prepared.frame);
}

void data_port::state::refuse(const send_refusal& refusal) {
  auto known = readers_.find(refusal.connection);
  if (known == readers_.end())
    return;
  auto link = known->second;
  link->send({.header = encode(refusal_frame{refusal.ask, refusal.reason})});
}

// -- data_port ------------------------------------------------------------------------

data_port::data_port(std::unique_ptr<state> content) : state_(std::move(content)) {
}

data_port::opened data_port::open(const data_port_config& config, transfer_source& source,
                                  transfer_events& events) {
  auto content = std::make_unique<state>(config, source, events);
  if (auto failure = content->listen())
    return *failure;
  content->start();
  return std::unique_ptr<data_port>{new data_port{std::move(content)}};
}

data_port::~data_port() {
  state_->stop();
}

data_address data_port::address() const {
  return state_->address();
}

void data_port::admit(const incarnation_id& node, const transfer_token& token) {
  state_->run([s = state_.get(), node, token] { s->admit(node, token); });
}

void data_port::add_peer(const incarnation_id& node, std::span<const data_address> addresses,
                         const transfer_token& token) {
  state_->run([s = state_.get(), node, token,
               kept = std::vector<data_address>(addresses.begin(), addresses.end())] {
    s->add_peer(node, kept, token);
  });
}

void data_port::remove_node(const incarnation_id& node) {
  state_->run([s = state_.get(), node] { s->remove_node(node); });
}

void data_port::ask(const ask_bytes& ask, std::span<std::byte> buffer) {
  MOBULA_ASSERT(buffer.size() == ask.range.length_bytes);
  state_->run([s = state_.get(), ask, buffer] { s->ask(ask, buffer); });
}

void data_port::cancel(const cancel_ask& cancel) {
  state_->run([s = state_.get(), ask = cancel.ask] { s->cancel(ask); });
}

void data_port::close(const close_lane& lane) {
  state_->run([s = state_.get(), lane] { s->close(lane); });
}

void data_port::send(const send_chunk& chunk) {
  state_->run([s = state_.get(), chunk] { s->send(chunk); });
}

void data_port::refuse(const send_refusal& refusal) {
  state_->run([s = state_.get(), refusal] { s->refuse(refusal); });
}

} // namespace mobula
