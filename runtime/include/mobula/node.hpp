#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/expected.hpp>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/node_options.hpp"
#include "mobula/actors/objects/call_site.hpp"
#include "mobula/actors/protocol/references/drain_table.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/object_builder.hpp"
#include "mobula/object_ref.hpp"
#include "mobula/outcome.hpp"
#include "mobula/promise.hpp"
#include "mobula/runtime/name_questions.hpp"
#include "mobula/runtime/reading.hpp"
#include "mobula/runtime/value_writer.hpp"
#include "mobula/view.hpp"

namespace mobula {

/// One node of the object store: owns the objects that are put through it. Runs on an actor system
/// that the application already has; several nodes may share one.
///
/// All members are thread-safe. Inside actors, use `mobula::get(self, ref)` and its relatives
/// (mobula/get.hpp, mobula/names.hpp) instead of the members that block: on a thread that actors
/// share these throw `object_error` (`invalid_argument`) instead of waiting. Actors that are
/// detached or blocking have threads of their own and may wait.
///
/// *fork.* A node belongs to the process that started it. In a child that is forked without exec,
/// every use of it, of its cluster, promises and builders throws `object_error`
/// (`invalid_argument`); references, views and the node itself may be copied and destroyed there,
/// which neither waits nor changes anything of the parent. A child may read a view that it
/// inherited only as long as the parent keeps that view. It should end by `exec`, `exit` or
/// `_exit`: an actor system cannot be destroyed in it, since its threads stayed with the parent. It
/// may start an actor system and a node of its own.
class node {
public:
  /// Takes its options from the configuration of `system`, which has to be a `mobula::config` or
  /// derived from it. Throws `object_error` (`invalid_argument`) for another one, and for a value
  /// out of range, naming option, value and range.
  /// `system` must outlive the node, though not the references and views that come from it.
  explicit node(caf::actor_system& system);

  node(caf::actor_system& system, node_options options);

  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Does what `shutdown` does.
  ~node();

  // -- writing ------------------------------------------------------------------------------------

  // Members that make objects end in the place of their call, which the `mobula` command shows if
  // `mobula.record-call-sites` is on. It costs nothing otherwise, and is passed only by functions
  // that make objects for others; see `call_site`.

  /// Makes an object of `value` and returns the first reference to it. The value is encoded by the
  /// calling thread; what its codec throws passes through. A large value waits while the store
  /// makes space, and fails with `store_full` or `out_of_disk_error` when nothing more can move,
  /// and a small one while values leave the process heap, with `store_full`; a thread of the actor
  /// system never waits but gets a reference that may be pending still. Throws `object_error`
  /// (`shutting_down`) after shutdown.
  template <class T>
    requires(!std::is_convertible_v<const T&, std::string_view>)
  ObjectRef<T> put(const T& value, const call_site& where = call_site::here()) {
    return put_as<default_codec<T>>(value, where);
  }

  /// Puts text as a `std::string`.
  ObjectRef<std::string> put(std::string_view text, const call_site& where = call_site::here());

  /// Puts with codec `C`: for readers in other languages, say.
  template <codec_id C, class T>
  ObjectRef<T> put_as(const T& value, const call_site& where = call_site::here()) {
    static_assert(encodable_with<T, C>,
                  "this codec cannot write this type, or its header is not included: JSON needs "
                  "mobula/json.hpp, MessagePack mobula/message_pack.hpp");
    require_open();
    return ObjectRef<T>{internal::put_value<T, C>(*core_, value, where)};
  }

  /// Makes space for `count` elements that the caller fills in place; see `object_builder`. `Array`
  /// is `array<T>` or `bytes`. Waits for no space in the store: if that is full, `seal` does; less
  /// than 4 KiB may wait for space in the process heap, as in `put`. Throws `object_error`:
  /// `store_full` for what is larger than the store, `invalid_argument` for a shape that cannot be,
  /// `shutting_down`.
  template <class Array>
  object_builder<Array> create(std::size_t count, const call_site& where = call_site::here()) {
    require_open();
    return object_builder<Array>{*core_, array_shape{count}, where};
  }

  /// The same with up to eight dimensions.
  template <class Array>
  object_builder<Array> create(const array_shape& shape,
                               const call_site& where = call_site::here()) {
    require_open();
    return object_builder<Array>{*core_, shape, where};
  }

  /// Makes an object whose value is set later.
  template <class T>
  promise<T> make_promise(const call_site& where = call_site::here()) {
    require_open();
    return promise<T>{*core_, where};
  }

  // -- reading ------------------------------------------------------------------------------------

  // Members that read have a last parameter that callers leave out: it stands for the codecs whose
  // headers the calling source includes. A value in JSON or MessagePack is `decode_failed` without
  // mobula/json.hpp or mobula/message_pack.hpp there.

  /// Returns the value behind `ref`; waits for it if it is pending or on disk. Throws
  /// `object_error`: the object's own error, `type_mismatch`, `get_timed_out`, `shutting_down`,
  /// `invalid_reference`; `invalid_argument` where it would have to wait on a thread that actors
  /// share.
  template <class T>
  view<T> get(const ObjectRef<T>& ref, const wait_limit& limit = {},
              internal::value_decoder decode = internal::decoder_here<T>) const {
    core_->require_home();
    auto result = internal::read(ref, limit, decode);
    if (auto* value = std::get_if<view<T>>(&result)) [[likely]]
      return std::move(*value);
    throw object_error{std::get<error_info>(std::move(result))};
  }

  /// The same, with the error as a value; `to_error_info` unwraps it. Throws only for an empty
  /// reference, a negative limit, in a forked child, or where it would have to wait on a thread
  /// that must not: one that actors share, or in a function that watches the members (see
  /// `cluster::watch`).
  template <class T>
  caf::expected<view<T>> try_get(const ObjectRef<T>& ref, const wait_limit& limit = {},
                                 internal::value_decoder decode = internal::decoder_here<T>) const {
    core_->require_home();
    auto result = internal::read(ref, limit, decode);
    if (auto* value = std::get_if<view<T>>(&result)) [[likely]]
      return std::move(*value);
    return to_caf_error(std::get<error_info>(std::move(result)));
  }

  /// Waits until all of `refs` (duplicates allowed) are there or time is up. Returns one outcome
  /// for each, in their order. O(n).
  template <class T>
  outcomes<T> get_all(const std::vector<ObjectRef<T>>& refs, const wait_limit& limit = {},
                      internal::value_decoder decode = internal::decoder_here<T>) const {
    core_->require_home();
    return internal::read_all(std::span{refs}, limit, decode);
  }

  /// Waits until `count` of `refs` have a value or an error, or time is up. Returns at most `count`
  /// as ready and the others as pending, both in their order. Reads nothing. O(n). Throws
  /// `object_error` (`invalid_argument`) if `count` is more than there are.
  ///
  /// Ready is also what a `get` would fail to read at once: an object of a node that has shut down,
  /// and one of another node that cannot be brought here now (too large for this store, say). The
  /// next `get` on this node throws the reason of that; later ones try anew.
  template <class T>
  wait_result<T> wait(const std::vector<ObjectRef<T>>& refs, std::size_t count,
                      const wait_limit& limit = {}) const {
    core_->require_home();
    return internal::wait_for(std::span{refs}, count, limit);
  }

  // -- freeing ------------------------------------------------------------------------------------

  /// Frees the value of an object everywhere, though there are references: for data that is known
  /// to be of no use any more, whoever may still refer to it. Readers that come later or that wait
  /// get `object_freed`, here at once and on other nodes when they hear of it; views stay readable.
  /// Bytes in the store and on disk go with the last view, those of a small value with the last
  /// reference, and so do the references inside of a value. Never waits; may be called by actors.
  /// Throws `object_error` (`invalid_reference`) for an empty reference.
  template <class T>
  void free(const ObjectRef<T>& ref) const {
    core_->require_home();
    free_object(ref.entry());
  }

  /// The same for each of `refs`, or for none of them if it throws. O(n).
  template <class T>
  void free(const std::vector<ObjectRef<T>>& refs) const {
    core_->require_home();
    for (auto* entry : internal::entries_of(std::span{refs}))
      free_object(*entry);
  }

  // -- names --------------------------------------------------------------------------------------

  // Names are those of the cluster: what one node publishes, all its members can look up. A node
  // that is in none has names of its own, which the others learn when it joins one. A name has 1 to
  // 256 bytes.
  //
  // These members block. On a thread that actors share they throw `object_error`
  // (`invalid_argument`): actors have functions of the same names in mobula/names.hpp.

  /// Gives an object a name, and keeps it alive until `unpublish` or until this node leaves. Throws
  /// `invalid_argument` if the name is taken. Of two nodes that publish one name before they hear
  /// of each other, one keeps it; the other's log says that it lost.
  template <class T>
  void publish(const std::string& name, const ObjectRef<T>& ref) {
    internal::ask_for_change(*core_, internal::publication_of(*core_, name, ref));
  }

  /// The same for an actor, with or without static type. CAF keeps an actor that was looked up from
  /// another node until it ends, even after `unpublish`.
  template <class Handle>
  requires caf::is_actor_handle<Handle>::value void publish(const std::string& name,
                                                            const Handle& actor) {
    internal::ask_for_change(*core_, internal::publication_of(*core_, name, describe(actor)));
  }

  /// Does what `publish` does, and lets a name of this node stand for something else from now on:
  /// whoever looks it up meanwhile finds one of the two. Throws `invalid_argument` if the name is
  /// another node's.
  template <class T>
  void republish(const std::string& name, const ObjectRef<T>& ref) {
    internal::ask_for_change(*core_, internal::republication_of(*core_, name, ref));
  }

  /// The same for an actor.
  template <class Handle>
  requires caf::is_actor_handle<Handle>::value void republish(const std::string& name,
                                                              const Handle& actor) {
    internal::ask_for_change(*core_, internal::republication_of(*core_, name, describe(actor)));
  }

  /// Takes a name of this node back. References that others looked up stay. Does nothing if the
  /// name is not this node's.
  void unpublish(const std::string& name) {
    internal::ask_for_change(*core_, internal::withdrawal_of(name));
  }

  /// Returns a reference to the object of this name. Without a limit, fails at once if no node is
  /// known to publish it: what a node has published before this one joined may still be on its way.
  /// One that is known to, but does not answer, is given some seconds. Throws `name_not_found`;
  /// `type_mismatch` if the name stands for something else; `invalid_argument` for what is no name.
  template <class T>
  [[nodiscard]] ObjectRef<T> lookup(const std::string& name,
                                    const wait_limit& limit = std::chrono::nanoseconds{}) {
    return ObjectRef<T>{
      internal::look_up_reference(*core_, name, limit, wanted_type<T>()).handle()};
  }

  /// Returns the actor of this name, which may be on another node: ask it with `mobula::request`
  /// (request.hpp), which ends when that node does, and leads to the actor again when the
  /// connection was lost and is back. Throws `name_not_found`; `type_mismatch` if the name stands
  /// for no actor, or for one that does not take all that `Handle` says.
  template <class Handle = caf::actor>
  [[nodiscard]] Handle lookup_actor(const std::string& name,
                                    const wait_limit& limit = std::chrono::nanoseconds{}) {
    return caf::actor_cast<Handle>(
      internal::look_up_actor(*core_, name, limit, internal::interface_of<Handle>(*core_)));
  }

  /// Returns an actor as it is published. For the runtime's own use. Throws `object_error`
  /// (`shutting_down`) if the node has shut down.
  template <class Handle>
  [[nodiscard]] internal::published_actor describe(const Handle& actor) const {
    return {caf::actor_cast<caf::strong_actor_ptr>(actor), internal::interface_of<Handle>(*core_)};
  }

  // -- the node itself ----------------------------------------------------------------------------

  /// Returns figures that include all that the calling thread did before. Blocks for the time of
  /// some messages.
  [[nodiscard]] node_stats stats() const;

  /// Has other nodes keep the values of this one's objects that they refer to, so that they can
  /// read them when this node has left: what they read in place or have pulled already stays with
  /// them, and they fetch the rest. Returns what became of that, for each node and object, when all
  /// have answered, or after `limit`. `cluster::leave` does this if the option `mobula.drain` says
  /// so.
  ///
  /// What other nodes keep they can read, and hand on: whoever gets such a reference after this
  /// node has left gets one to an object of the sender's with the same value. The two compare
  /// unequal, and freeing one does not free the other. Promises that are not fulfilled, and values
  /// that arrive in a message later, are not taken care of. A call that comes while another one
  /// waits takes part in that, which ends with the earlier limit.
  ///
  /// Blocks: not for actors. Throws `object_error` (`invalid_argument`) if the node is in no
  /// cluster or the limit negative, (`shutting_down`) if it has ended, or ends meanwhile.
  drain_result drain(const wait_limit& limit);

  /// Ends pending and later gets with `shutting_down`, refuses puts, stops the node's actors and
  /// removes its files. Inline values and views stay readable. May be called several times and from
  /// several threads; each call returns when all is done. What does not end within some seconds (a
  /// disk that hangs, an actor of the node's that is held up) is left behind, with a line in the
  /// log. Throws `object_error` (`invalid_argument`) on a thread that actors share: those that it
  /// would wait for may need that thread.
  void shutdown();

  /// This life of the node, which is part of its objects' ids.
  [[nodiscard]] const incarnation_id& incarnation() const noexcept;

  [[nodiscard]] const node_options& options() const noexcept;

  [[nodiscard]] caf::actor_system& system() const noexcept;

  /// What the node's parts share. For the runtime's own use and for the test kit.
  [[nodiscard]] node_core& core() const noexcept {
    return *core_;
  }

private:
  void require_open() const {
    if (core_->closing()) [[unlikely]]
      throw object_error{core_->shutting_down_error()};
  }

  core_pointer core_;
};

} // namespace mobula
