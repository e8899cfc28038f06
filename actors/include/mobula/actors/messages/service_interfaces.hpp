#pragma once

// What the actors of a node take, one typed interface for each. Messages are only declared here:
// who sends one includes the header that defines it, which is in this folder, in wire/ for what
// comes from other nodes, and with the actor's parts for what they send to themselves.

#include "mobula/actors/caf/typed_interface.hpp"

namespace mobula {

struct abort_reserved;
struct add_references;
struct already_connected;
struct ask_for_owners;
struct ask_report;
struct barrier_passed;
struct batch_finished;
struct batch_moved;
struct begin_membership;
struct begin_transfers;
struct borrow_references;
struct borrowed_unpinned;
struct buffer_let_go;
struct check_tables;
struct collect_stats;
struct copy_evicted;
struct copy_moved;
struct copy_not_read;
struct copy_not_written;
struct copy_read;
struct copy_sealed;
struct copy_unpinned;
struct copy_written;
struct crossed;
struct dial_connected;
struct dial_ended;
struct drain_values;
struct drop_decoded_value;
struct effects_waiting;
struct end_membership;
struct end_pull;
struct file_removed;
struct fill_stock;
struct find_name;
struct find_record;
struct flush_references;
struct forget_copy;
struct free_copy_of;
struct free_objects;
struct gateway_event_noted;
struct heap_part_ended;
struct hello_envelope;
struct join_through;
struct keep_objects;
struct keep_ready;
struct leave_cluster;
struct list_members;
struct look_at_heap;
struct lookup_name;
struct members_changed;
struct move_into_store;
struct name_found;
struct names_changed;
struct node_report;
struct object_replies;
struct objects_kept;
struct objects_unpinned;
struct owner_not_found;
struct pass_barrier;
struct port_events;
struct publish_name;
struct pull_buffer_answered;
struct pull_ended;
struct pull_sealed;
struct pull_value;
struct raise_priority;
struct read_copy;
struct readers_lost;
struct record_found;
struct records_read;
struct references_confirmed;
struct refused;
struct release_copy;
struct release_pulled;
struct remove_references;
struct report_collected;
struct report_copies;
struct reports_due;
struct request_copy;
struct request_objects;
struct reserve_heap_space;
struct reserve_pull_buffer;
struct reserve_space;
struct return_credit;
struct return_pull_buffer;
struct return_references;
struct seal_objects;
struct seal_pulled;
struct seal_reserved;
struct served_ready;
struct session_closed;
struct session_opened;
struct session_over;
struct shut_down;
struct source_joined;
struct source_left;
struct source_speaks_at;
struct spilling_possible_again;
struct store_has_space;
struct take_from_heap;
struct transits_ended;
struct unpublish_name;
struct watch_members;
struct welcome;
struct withdraw_pull_buffer;
struct write_copy;

/// Speaks for a node with the other nodes' cluster actors: on membership, on references, on values
/// and on names. One actor for all of it, because CAF keeps the order of messages only between two
/// actors, and what nodes tell each other of references has to come after the beginning of the
/// session that it belongs to, and before its end.
using cluster_actor = caf::typed_actor<
  // From anybody who can connect.
  answers<ask_report, node_report>,
  // From other nodes: membership.
  takes<hello_envelope>, takes<welcome>, takes<crossed>, takes<already_connected>, takes<refused>,
  takes<members_changed>, takes<session_over>, takes<leave_cluster>,
  // From other nodes: references and values.
  takes<borrow_references>, takes<references_confirmed>, takes<transits_ended>,
  takes<return_references>, takes<pass_barrier>, takes<barrier_passed>, takes<request_objects>,
  takes<object_replies>, takes<objects_unpinned>, takes<report_copies>, takes<free_objects>,
  takes<keep_objects>, takes<objects_kept>,
  // From other nodes: names.
  takes<names_changed>, takes<find_name>, takes<name_found>,
  // From this node.
  takes<begin_membership>, takes<join_through>, takes<list_members>, takes<watch_members>,
  takes<dial_connected>, takes<dial_ended>, takes<end_membership>, takes<owner_not_found>,
  takes<report_collected>, takes<gateway_event_noted>, takes<borrowed_unpinned>, takes<pull_ended>,
  takes<copy_evicted>, takes<reports_due>, takes<drain_values>, takes<keep_ready>,
  takes<collect_stats>, takes<check_tables>, takes<shut_down>, takes<publish_name>,
  takes<unpublish_name>, takes<lookup_name>,
  // From a simulated network.
  takes<session_opened>, takes<session_closed>, takes<ask_for_owners>>;

/// Moves the bytes of stored values between nodes that cannot read each other's arenas: owns the
/// node's data port, its puller and its pusher. An actor of its own, and not a part of the cluster
/// actor, since a port tells of each chunk, and what nodes say on references should not wait behind
/// that. The order between the two does not matter: an object that is pulled is held by its reader,
/// so that its owner keeps it until the reader, which knows of the end, lets go.
using transfers_actor = caf::typed_actor<
  takes<begin_transfers>, takes<source_joined>, takes<source_left>, takes<source_speaks_at>,
  takes<pull_value>, takes<raise_priority>, takes<end_pull>, takes<pull_buffer_answered>,
  takes<pull_sealed>, takes<buffer_let_go>, takes<port_events>, takes<served_ready>,
  takes<record_found>, takes<collect_stats>, takes<check_tables>, takes<shut_down>>;

/// Speaks to owners for all references of one node: takes what the node's stripes gathered and
/// sends it on, one batch for each owner and turn.
using reference_counter_actor =
  caf::typed_actor<takes<flush_references>, takes<collect_stats>, takes<shut_down>>;

/// The one source of truth for the life and the place of the objects that a node created.
using owner_actor =
  caf::typed_actor<takes<add_references>, takes<seal_objects>, takes<remove_references>,
                   takes<collect_stats>, takes<check_tables>, takes<shut_down>>;

/// Sees to it that values leave the process heap when that is above its limit, and lets puts wait.
/// Values are kept in order by the stripes of their entries, so this hears nothing of puts, reads
/// and drops while there is space.
using heap_keeper_actor =
  caf::typed_actor<takes<look_at_heap>, takes<reserve_heap_space>, takes<heap_part_ended>,
                   takes<store_has_space>, takes<collect_stats>, takes<check_tables>,
                   takes<shut_down>>;

/// Holds the large objects of its share of ids: gives space, evicts, has spilled and restored,
/// frees. Space belongs to all shards together (`store_space`).
using store_shard_actor = caf::typed_actor<
  takes<copy_sealed>, takes<move_into_store>, takes<take_from_heap>, takes<drop_decoded_value>,
  takes<copy_moved>, takes<reserve_space>, takes<seal_reserved>, takes<abort_reserved>,
  takes<return_credit>, takes<release_copy>, takes<free_copy_of>, takes<request_copy>,
  takes<copy_unpinned>, takes<reserve_pull_buffer>, takes<withdraw_pull_buffer>,
  takes<return_pull_buffer>, takes<seal_pulled>, takes<release_pulled>, takes<readers_lost>,
  takes<copy_written>, takes<copy_not_written>, takes<copy_read>, takes<copy_not_read>,
  takes<spilling_possible_again>, takes<effects_waiting>, takes<collect_stats>, takes<check_tables>,
  takes<shut_down>>;

/// Plans what goes to disk and back; I/O workers do it.
using spill_manager_actor =
  caf::typed_actor<takes<write_copy>, takes<read_copy>, takes<forget_copy>, takes<find_record>,
                   takes<batch_finished>, takes<batch_moved>, takes<records_read>,
                   takes<file_removed>, takes<collect_stats>, takes<check_tables>,
                   takes<shut_down>>;

/// Keeps some free memory of the arena faulted in (`mobula.prefault`), so that creators
/// need not wait for page faults. Runs on a thread of its own with a low priority, in small steps.
/// A simulation has none.
using arena_filler_actor = caf::typed_actor<takes<fill_stock>, takes<shut_down>>;

} // namespace mobula
