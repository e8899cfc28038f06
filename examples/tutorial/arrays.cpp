// A matrix is filled in place, in the memory where its readers will see it.

#include <iostream>
#include <numeric>

#include <mobula/mobula.hpp>

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    // Space for 1000 x 1000 numbers, filled where they will be read.
    auto builder = node.create<mobula::array<double>>(mobula::array_shape{1000, 1000});
    std::iota(builder.elements().begin(), builder.elements().end(), 0.0);
    mobula::ObjectRef<mobula::array<double>> matrix = builder.seal();

    auto view = node.get(matrix);
    std::cout << (*view)(999, 999) << '\n';
    std::cout << view->size() << " elements, " << view.size_bytes() << " bytes\n";
  });
}
