// A key and a certificate of 127.0.0.1, signed by itself, in files of a test's own.
//
// Ownership: the object owns its directory. Threading: one thread per object.
#ifndef SERVER_SESSIONS_TLS_FILES_H_
#define SERVER_SESSIONS_TLS_FILES_H_

#include <string>

#include "testing/files.h"

namespace sessions {

class TlsFiles {
  public:
    TlsFiles();

    // Paths of PEM files. The certificate is its own authority.
    std::string certificate() const {
        return directory_.File("certificate.pem");
    }
    std::string key() const {
        return directory_.File("key.pem");
    }

  private:
    harness::TemporaryDirectory directory_;
};

} // namespace sessions

#endif // SERVER_SESSIONS_TLS_FILES_H_
