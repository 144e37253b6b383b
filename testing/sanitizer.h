// Whether a tool watches this build's programs that takes much time and memory for itself:
// AddressSanitizer, ThreadSanitizer or valgrind (--config=valgrind). What is promised about either
// is not meant for such a build.
//
// Threading: stateless.
#ifndef TESTING_SANITIZER_H_
#define TESTING_SANITIZER_H_

namespace harness {

#ifdef UNDER_VALGRIND
inline constexpr bool kIsUnderValgrind = true;
#else
inline constexpr bool kIsUnderValgrind = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(UNDER_VALGRIND)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

} // namespace harness

#endif // TESTING_SANITIZER_H_
