// The targets that read who calls (server/tenants).
#pragma once

#include <string_view>

namespace gateway::fuzz {

// The file of --tenants.
void TenantsFile(std::string_view input);

// x-forwarded-client-cert. Of an input the first line is what a caller has forged, and the rest is
// what our own proxy appends to it.
void Xfcc(std::string_view input);

// A JSON Web Token. The first byte says what of it is made up: `h` the header and `c` the claims,
// which are then signed as they should be, or else the whole token. In a whole one %h, %c and %s
// are header, claims and signature of one that counts, and %e and %f claims and signature of one
// that has ended.
void Jwt(std::string_view input);

// A JWKS file, in which %p is a public and %d a private key.
void KeySet(std::string_view input);

}  // namespace gateway::fuzz
