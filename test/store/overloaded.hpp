#pragma once

namespace mobula::test {

/// Builds one visitor out of several lambdas.
template <class... Lambdas>
struct overloaded : Lambdas... {
  using Lambdas::operator()...;
};

template <class... Lambdas>
overloaded(Lambdas...) -> overloaded<Lambdas...>;

} // namespace mobula::test
