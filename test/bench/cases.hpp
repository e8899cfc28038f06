#pragma once

#include <vector>

#include "bench_node.hpp"
#include "comparison.hpp"

namespace mobula::bench {

/// Which sizes of the scale cases are wanted.
enum class scale : std::uint8_t { usual, large };

// Each appends its cases to `cases`; they use `bench`, which must outlive them.

/// Small objects read and written by plain threads.
void add_small_cases(std::vector<comparison>& cases, bench_node& bench);

/// Reading inside of actors, and reading many at once.
void add_reading_cases(std::vector<comparison>& cases, bench_node& bench);

/// Objects in a store shard.
void add_stored_cases(std::vector<comparison>& cases, bench_node& bench, scale sizes);

/// Objects that go to disk and come back, in files below `directory`.
void add_spill_cases(std::vector<comparison>& cases, bench_node& bench,
                     const std::string& directory);

/// Data ports alone, over TCP on the loopback device: with and without compression.
void add_transfer_cases(std::vector<comparison>& cases);

/// References and values that go to another process of this program, and back.
void add_cluster_cases(std::vector<comparison>& cases, scale sizes);

/// Stored values that other processes of this program pull.
void add_pull_cases(std::vector<comparison>& cases);

/// Speed of simulated clusters, and what the protocol costs in messages.
void add_simulation_cases(std::vector<comparison>& cases);

/// What objects cost as their number grows.
void add_scale_cases(std::vector<comparison>& cases, bench_node& bench, scale sizes);

/// What one of many costs that wait in a table: for a disk, a name or a time.
void add_table_cases(std::vector<comparison>& cases);

} // namespace mobula::bench
