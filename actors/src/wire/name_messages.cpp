// Names the types of messages about published names, and answers actors that asked: a question that
// is dropped on its way answers all the same.

#include "mobula/actors/wire/name_messages.hpp"

#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/actors/caf/sending.hpp"

namespace mobula {

void add_name_messages(caf::actor_system_config& config) {
  add_messages<names_changed, find_name, name_found>(config);
}

asking_actor::asking_actor(caf::strong_actor_ptr asker, caf::message_id request,
                           error_info otherwise)
  : asker_(std::move(asker)), request_(request), otherwise_(std::move(otherwise)) {
  // nop
}

asking_actor::~asking_actor() {
  if (asker_)
    send({std::move(otherwise_)});
}

void asking_actor::tell(publish_answer answer) {
  if (answer)
    send({*std::move(answer)});
  else
    send({std::monostate{}});
}

void asking_actor::tell(name_answer answer) {
  std::visit([this](auto&& content) { send({std::forward<decltype(content)>(content)}); },
             std::move(answer));
}

void asking_actor::send(name_reply answer) {
  if (auto asker = std::exchange(asker_, nullptr))
    answer_request(asker, request_, std::move(answer));
}

} // namespace mobula
