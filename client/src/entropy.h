// UniformRandom is the randomness of the library, seeded by the operating system. Thread-safe.
#pragma once

namespace pictory_jobs {

double UniformRandom();  // in [0, 1)

}  // namespace pictory_jobs
