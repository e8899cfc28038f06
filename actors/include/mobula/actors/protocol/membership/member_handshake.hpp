#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "mobula/actors/protocol/membership/known_members.hpp"
#include "mobula/actors/protocol/membership/local_member.hpp"
#include "mobula/actors/protocol/membership/member_contacts.hpp"
#include "mobula/actors/protocol/membership/member_effects.hpp"
#include "mobula/actors/protocol/membership/member_sessions.hpp"

namespace mobula {

/// How a membership table greets others and is greeted: whom it accepts, refuses or ignores. Ends
/// in a session, or in a contact that has failed.
class member_handshake {
public:
  /// REQUIRES: all outlive this.
  member_handshake(local_member& self, known_members& members, member_contacts& contacts,
                   member_sessions& sessions)
    : self_(self), members_(members), contacts_(contacts), sessions_(sessions) {
    // nop
  }

  member_handshake(const member_handshake&) = delete;
  member_handshake& operator=(const member_handshake&) = delete;

  void handle(link_id link, const hello& message, member_effects& effects);
  void handle(link_id link, const welcome& message, member_effects& effects);
  void handle(link_id link, const crossed& message, member_effects& effects);
  void handle(link_id link, const already_connected& message, member_effects& effects);
  void handle(link_id link, const refused& message, member_effects& effects);

  /// The message cannot be, for the reason `fault`.
  void reject(link_id link, const member_message& message, const std::string& fault,
              member_effects& effects);

private:
  /// Returns whether a link is that of another node than the one that speaks. CAF tells processes
  /// apart by an id of which two may have the same, unless each was given one of its own. Nothing
  /// is answered then, since the answer would go to the member: the sender's patience ends.
  [[nodiscard]] bool is_of_another(link_id link, const incarnation_id& sender) const;
  [[nodiscard]] std::string under_a_members_id(const node_record& stranger, link_id link) const;
  [[nodiscard]] std::optional<refused> objection_to(const hello& message) const;
  [[nodiscard]] bool expects_welcome(link_id link, const incarnation_id& sender) const;
  void accept(link_id link, const hello& message, member_effects& effects);
  void ignore(const member_message& message, const std::string& fault, member_effects& effects);
  void note_refusal(join_refusal reason, std::string text, member_effects& effects);

  local_member& self_;
  known_members& members_;
  member_contacts& contacts_;
  member_sessions& sessions_;
  /// Messages that were ignored, by their kind: of many that are alike the log has few.
  std::array<std::uint64_t, std::variant_size_v<member_message>> ignored_{};
  std::map<join_refusal, std::uint64_t> refused_; ///< hellos, by reason; logged as rarely
};

} // namespace mobula
