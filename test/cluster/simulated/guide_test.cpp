// The example of docs/testing.md with several nodes, as it stands there.

#include <doctest/doctest.h>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

namespace {

struct order {
  mobula::ObjectRef<std::string> what;
};
MOBULA_MESSAGE(order, what)

} // namespace

TEST_CASE("an order survives that its customer forgets it") {
  auto settings = std::make_unique<mobula::config>();
  mobula::add_messages<order>(*settings);
  mobula::testing::simulation sim{1, std::move(settings)};
  auto& customer = sim.add_node();
  auto& shop = sim.add_node();
  sim.connect(customer, shop);
  std::string seen;
  auto clerk = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](const order& x) {
      mobula::get(self, x.what).then([&](const mobula::view<std::string>& text) { seen = *text; });
    }};
  });
  caf::anon_send(sim.remote(customer, shop, clerk), order{customer.put("two rays")});
  sim.run();
  CHECK(seen == "two rays");
  clerk = nullptr;
  CHECK(sim.leftovers() == "");
}
