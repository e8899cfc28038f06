// A value that refers to other objects keeps them alive.

#include <iostream>

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <mobula/mobula.hpp>

/// A value that refers to others: they live as long as it does.
struct folder {
  std::string name;
  std::vector<mobula::ObjectRef<std::string>> files;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, files);
  }
};

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    mobula::ObjectRef<folder> papers =
      node.put(folder{.name = "papers", .files = {node.put("first"), node.put("second")}});
    std::cout << node.stats().owned.objects << " objects\n";
    {
      auto view = node.get(papers);
      std::cout << view->name << ": " << node.get(view->files[1]).copy() << '\n';
    }
    papers = {};
    std::cout << node.stats().owned.objects << " objects\n";
  });
}
