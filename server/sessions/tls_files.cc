#include "server/sessions/tls_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace sessions {

namespace {

void Check(bool is_done) {
    if (!is_done) {
        throw std::runtime_error("cannot make a certificate");
    }
}

using File = std::unique_ptr<FILE, int (*)(FILE *)>;

File Create(const std::string &path) {
    File file(fopen(path.c_str(), "we"), fclose);
    Check(file != nullptr);
    return file;
}

} // namespace

TlsFiles::TlsFiles() {
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY *)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, void (*)(X509 *)> certificate(X509_new(), X509_free);
    Check(key != nullptr && certificate != nullptr);
    X509 *x509 = certificate.get();
    Check(X509_set_version(x509, X509_VERSION_3) == 1 &&
          ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
          X509_gmtime_adj(X509_getm_notBefore(x509), -3600) != nullptr &&
          X509_gmtime_adj(X509_getm_notAfter(x509), 3600) != nullptr &&
          X509_set_pubkey(x509, key.get()) == 1);
    X509_NAME *name = X509_get_subject_name(x509);
    Check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     reinterpret_cast<const unsigned char *>("redis of a test"), -1,
                                     -1, 0) == 1 &&
          X509_set_issuer_name(x509, name) == 1);
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION *)> address(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"),
        X509_EXTENSION_free);
    Check(address != nullptr && X509_add_ext(x509, address.get(), -1) == 1 &&
          X509_sign(x509, key.get(), EVP_sha256()) > 0);
    Check(PEM_write_X509(Create(TlsFiles::certificate()).get(), x509) == 1 &&
          PEM_write_PrivateKey(Create(TlsFiles::key()).get(), key.get(), nullptr, nullptr, 0,
                               nullptr, nullptr) == 1);
}

} // namespace sessions
