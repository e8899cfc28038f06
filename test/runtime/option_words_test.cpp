// What is said about words of a command line and keys of a file that mean nothing.

#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <sys/stat.h>

#include "mobula/actors/caf/caf_options.hpp"

#include "../contains.hpp"
#include "../temporary_directory.hpp"
#include "one_node.hpp"

using namespace mobula;
using test::contains;

namespace {

struct application_config : config {
  bool loud = true;

  application_config() {
    opt_group{custom_options_, "global"}
      .add<std::string>("colour,c", "colour of the application")
      .add<bool>("verify,v", "look at everything twice");
    opt_group{custom_options_, "?sound"}.add<bool>(loud, "loud", "make noise");
  }
};

/// Reads a command line, and a file if there is one. Returns the error's message, empty if none.
std::string parse(config& settings, std::vector<std::string> arguments,
                  const std::string& file = "/dev/null") {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> pointers;
  for (auto& argument : arguments)
    pointers.push_back(argument.data());
  auto error = settings.parse(static_cast<int>(pointers.size()), pointers.data(), file.c_str());
  return error ? to_error_info(error).message : std::string{};
}

std::string failure_of(std::vector<std::string> arguments) {
  application_config settings;
  return parse(settings, std::move(arguments));
}

/// A configuration file, and what is said about it.
struct file_of_options {
  test::temporary_directory directory;
  std::string path = (directory.path() / "options.ini").string();

  std::string failure_with(const std::string& content) const {
    std::ofstream{path} << content;
    config settings;
    return parse(settings, {}, path);
  }
};

/// Returns what a command line has printed.
std::string printed(std::vector<std::string> arguments) {
  std::ostringstream output;
  auto* before = std::cout.rdbuf(output.rdbuf());
  application_config settings;
  auto failure = parse(settings, std::move(arguments));
  std::cout.rdbuf(before);
  CHECK(failure.empty());
  CHECK(settings.cli_helptext_printed);
  return output.str();
}

} // namespace

TEST_CASE("an option that is misspelled is told with what was meant") {
  CHECK(contains(failure_of({"--mobula.stroe-size=1MiB"}),
                 R"(no option --mobula.stroe-size; did you mean "--mobula.store-size"?)"));
  CHECK(contains(failure_of({"--color=red"}), R"(did you mean "--colour"?)"));
  CHECK(contains(failure_of({"-c", "red", "--verfy"}), R"(did you mean "--verify"?)"));
  CHECK(!contains(failure_of({"--entirely-different"}), "did you mean"));
}

TEST_CASE("a value that cannot be read is told with what it must be") {
  CHECK(contains(failure_of({"--mobula.drain=7sec"}), "ns, us, ms, s, min or h"));
  CHECK(contains(failure_of({"--mobula.shards=many"}), "a whole number"));
  CHECK(contains(failure_of({"--mobula.shards"}), "needs a value"));
  CHECK(contains(failure_of({"--mobula.store-size=12XB"}), "KiB, MiB, GiB, TiB"));
}

TEST_CASE("a flag may have a value on the command line, as in a file") {
  auto insecure_after = [](std::vector<std::string> arguments) {
    application_config settings;
    CHECK(parse(settings, std::move(arguments)).empty());
    return read_options(settings).listening == listening_scope::any;
  };
  CHECK(insecure_after({"--mobula.insecure"}));
  CHECK(insecure_after({"--mobula.insecure=true"}));
  CHECK_FALSE(insecure_after({"--mobula.insecure=false"}));
  CHECK_FALSE(insecure_after({"--mobula.insecure", "--mobula.insecure=false"}));
  CHECK(insecure_after({"--mobula.insecure=false", "--mobula.insecure"}));
  CHECK(insecure_after({"--mobula.insecure=false", "--mobula.insecure=true"}));
  for (const auto* word : {"--mobula.insecure=maybe", "--mobula.insecure="})
    CHECK(contains(failure_of({word}), "must be true or false"));
}

TEST_CASE("an application's own flags can be turned off, too") {
  auto settings_after = [](std::vector<std::string> arguments) {
    auto settings = std::make_unique<application_config>();
    CHECK(parse(*settings, std::move(arguments)).empty());
    return settings;
  };
  auto verifies_after = [&](std::vector<std::string> arguments) {
    auto settings = settings_after(std::move(arguments));
    return caf::get_or(caf::content(*settings), "verify", true);
  };
  CHECK_FALSE(verifies_after({"--verify=false"}));
  CHECK_FALSE(verifies_after({"-v", "--verify=false"}));
  CHECK(verifies_after({"--verify=false", "-v"}));
  auto quiet = settings_after({"--loud=false"});
  CHECK_FALSE(quiet->loud);
  CHECK_FALSE(caf::get_or(caf::content(*quiet), "sound.loud", true));
}

TEST_CASE_FIXTURE(file_of_options, "--dump-config shows a flag that was turned off as off") {
  std::ofstream{path} << "mobula { insecure=true }\n";
  const std::vector<std::vector<std::string>> lines{
    {"--mobula.insecure=false", "--verify=false"},
    {"--mobula.insecure", "--mobula.insecure=false", "-v", "--verify=false"},
    {"--mobula.insecure=true", "--verify", "--verify=false", "--mobula.insecure=false"}};
  for (auto words : lines) {
    words.insert(words.begin(), {"--config-file=" + path, "--dump-config"});
    auto shown = printed(words);
    CHECK_MESSAGE(contains(shown, "insecure = false"), shown);
    CHECK_MESSAGE(contains(shown, "verify = false"), shown);
  }
}

TEST_CASE("words that are no options are left as they are, empty ones too") {
  application_config settings;
  CHECK(parse(settings, {"--mobula.insecure=false", "", "--mobula.insecure=true"}).empty());
  CHECK(settings.remainder == std::vector<std::string>{"", "--mobula.insecure=true"});
}

TEST_CASE("help is a flag like others") {
  CHECK(printed({"--help=true"}) == printed({"--help"}));
}

TEST_CASE_FIXTURE(file_of_options, "a flag that a file sets can be taken back") {
  std::ofstream{path} << "mobula { insecure=true }\n";
  application_config settings;
  CHECK(parse(settings, {"--mobula.insecure=false"}, path).empty());
  CHECK(read_options(settings).listening == listening_scope::loopback);
}

TEST_CASE("words of the application's own are nobody else's business") {
  CHECK(failure_of({"-c", "red", "word", "--what=ever"}).empty());
}

TEST_CASE_FIXTURE(file_of_options,
                  "a key that is misspelled in a file is told with file and line") {
  auto text = failure_with("; options\n[mobula]\nshards=2\nstroe-size=\"1MiB\"\n");
  CHECK(contains(text, path + ":4: "));
  CHECK(contains(text, R"(no option mobula.stroe-size; did you mean "store-size"?)"));
}

TEST_CASE_FIXTURE(file_of_options,
                  "a group that is misspelled in a file is told with file and line") {
  auto text = failure_with("[mobulla]\nshards=2\n");
  CHECK(contains(text, path + ":1: "));
  CHECK(contains(text, R"(did you mean "mobula"?)"));
}

TEST_CASE_FIXTURE(file_of_options, "groups of the application's own may be in a file") {
  CHECK(failure_with("[module]\nname=\"x\"\n[mobula]\nshards=3\n").empty());
}

TEST_CASE_FIXTURE(file_of_options,
                  "a value of another kind than its option's is told with file and line") {
  const std::vector<std::pair<std::string, std::string>> lines{
    {"store-size=-5", "-5, but must be a number of bytes"},
    {"store-size=-2.5", "but must be a number of bytes"},
    {"store-size=1000.5", "but must be a number of bytes"},
    {"store-size=1e30", "but must be a number of bytes"},
    {"store-size=[1,2]", "but must be a number of bytes"},
    {"store-size=true", "true, but must be a number of bytes"},
    {"shards=\"two\"", "\"two\", but must be a whole number, without quotes"},
    {"shards=\"2\"", "without quotes"},
    {"shards=-2.5", "but must be a whole number"},
    {"full-timeout=5", "5, but must be a time with a unit"},
    {"full-timeout=\"5s\"", "without quotes"},
    {"listen=4242", "4242, but must be a text in quotes"},
    {"name=7", "7, but must be a text in quotes"},
    {"insecure=1", "1, but must be true or false"},
    {"insecure=\"true\"", "true or false, without quotes"},
    {"spill-dirs=\"/tmp\"", "a list such as"},
    {"spill-dirs=[1]", "a list such as"},
  };
  for (const auto& [line, wanted] : lines) {
    auto text = failure_with("; options\n[other]\nname=1\n[mobula]\n" + line + "\n");
    auto name = line.substr(0, line.find('='));
    CHECK_MESSAGE(text.starts_with(path + ":5: option mobula." + name + " is "), text);
    CHECK_MESSAGE(contains(text, wanted), text);
  }
}

TEST_CASE_FIXTURE(file_of_options, "there is no option whose value may be of any kind") {
  std::istringstream lines{printed({"--help"})};
  std::size_t options = 0;
  constexpr std::string_view beginning = "  --mobula.";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(beginning)) {
      ++options;
      auto name = line.substr(beginning.size(),
                              line.find_first_of("= ", beginning.size()) - beginning.size());
      for (const auto* value : {"<none:of-them>", "{a=1}", "0.25"})
        CHECK_MESSAGE(contains(failure_with("[mobula]\n" + name + "=" + value + "\n"),
                               path + ":2: option mobula." + name + " is "),
                      name);
    }
  CHECK(options > 25);
}

TEST_CASE_FIXTURE(file_of_options, "options of CAF's and of an application are looked at, too") {
  CHECK(contains(failure_with("[scheduler]\nmax-throughput=\"many\"\n"),
                 path + ":2: option scheduler.max-throughput is \"many\", but must be"));
  for (const auto* content : {"colour=7\n", "[sound]\nloud=\"yes\"\n"}) {
    std::ofstream{path} << content;
    application_config settings;
    CHECK(contains(parse(settings, {}, path), "but must be"));
    CHECK(settings.loud);
  }
}

TEST_CASE_FIXTURE(file_of_options, "a file has sizes with and without quotes") {
  auto size_in = [this](const std::string& line) {
    std::ofstream{path} << "[mobula]\n" << line << '\n';
    config settings;
    CHECK(parse(settings, {}, path).empty());
    return read_options(settings).store_size_bytes;
  };
  CHECK(size_in("store-size=80000000") == 80'000'000);
  CHECK(size_in("store-size=\"80000000\"") == 80'000'000);
  CHECK(size_in("store-size=\"80MB\"") == 80'000'000);
  CHECK(size_in("store-size=0") == 0);
}

TEST_CASE_FIXTURE(file_of_options, "a file may be read once only, as a pipe is") {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer{[this] {
    std::ofstream{path} << "[mobula]\nshards=3\n";
  }};
  config settings;
  CHECK(parse(settings, {"--config-file=" + path}).empty());
  writer.join();
  CHECK(read_options(settings).shards == 3);
}

TEST_CASE_FIXTURE(file_of_options, "a pipe with a key that is no option is not read again") {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer{[this] {
    std::ofstream{path} << "[mobula]\nshard=3\n";
  }};
  config settings;
  auto text = parse(settings, {"--config-file=" + path});
  writer.join();
  CHECK(contains(text, path + ":2: there is no option mobula.shard"));
}

TEST_CASE_FIXTURE(file_of_options, "zeros with which CAF would hang are refused") {
  for (const std::string option : caf_options::never_zero) {
    CHECK(contains(failure_of({"--" + option + "=0"}), "option " + option + " is 0"));
    CHECK(failure_of({"--" + option + "=1"}).empty());
    auto split = option.find('.');
    CHECK(contains(
      failure_with("[" + option.substr(0, split) + "]\n" + option.substr(split + 1) + "=0\n"),
      "option " + option + " is 0"));
  }
}

TEST_CASE_FIXTURE(file_of_options, "a file that is named has to be there") {
  auto folder = directory.path().string();
  for (const auto& name : {folder, folder + "/missing.ini"})
    CHECK(contains(failure_of({"--config-file=" + name}), "names " + name + ", which cannot be"));
  config settings;
  CHECK(parse(settings, {}, folder + "/missing.ini").empty());
}

TEST_CASE("a value that is left out is asked for") {
  CHECK(contains(failure_of({"--mobula.store-size="}), "mobula.store-size needs a value"));
  CHECK(contains(failure_of({"--config-file="}), "config-file needs a value"));
}

TEST_CASE("a key that was set by code and is no option is refused by the first node") {
  config settings;
  settings.set("mobula.store_size", std::string{"1MiB"});
  auto text = message_of([&] { static_cast<void>(read_options(settings)); });
  CHECK(contains(text, R"(no option mobula.store_size; did you mean "store-size"?)"));
}

TEST_CASE("help lists each option of Mobula on one line with its default") {
  for (const auto* word : {"--help", "-h", "-?"}) {
    std::istringstream lines{printed({word})};
    std::size_t options = 0;
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("  --mobula.")) {
        ++options;
        CHECK_MESSAGE(contains(line, "(default "), line);
        CHECK_MESSAGE(line.size() <= 120, line);
      }
    CHECK(options > 25);
  }
}

TEST_CASE("help lists the application's options and what units there are") {
  auto text = printed({"--help"});
  CHECK(contains(text, "--colour"));
  CHECK(contains(text, "64MiB"));
  CHECK(contains(text, "--mobula.drain=TIME"));
  CHECK(contains(text, "--mobula.store-size=SIZE"));
}

TEST_CASE("the version is printed") {
  CHECK(printed({"--version"}).starts_with("mobula "));
}

TEST_CASE("how long a program may take to end is an option") {
  using namespace std::chrono_literals;
  config settings;
  CHECK(read_stop_limit(settings) == 10s);
  CHECK(parse(settings, {"--mobula.stop-limit=3s"}).empty());
  CHECK(read_stop_limit(settings) == 3s);
  CHECK(contains(failure_of({"--mobula.stop-limit=-1s"}), "mobula.stop-limit"));
}
