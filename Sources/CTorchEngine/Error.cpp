#include "Guard.hpp"

namespace {
// Returned when there is no memory left to describe an error; never freed.
CTError outOfMemory{CT_ERROR_OUT_OF_MEMORY, "not enough memory"};

CTError *makeError(CTErrorKind kind, const char *message) noexcept {
  try {
    // The CPU allocator reports a lack of memory as an ordinary error; only its name in the message identifies it.
    if (kind == CT_ERROR_ENGINE && std::string(message).find("DefaultCPUAllocator:") != std::string::npos)
      kind = CT_ERROR_OUT_OF_MEMORY;
    return new CTError{kind, message};
  } catch (...) {
    return &outOfMemory;
  }
}
}  // namespace

CTError *ctorch::currentError() noexcept {
  try {
    throw;
  } catch (const c10::OutOfMemoryError &error) {
    return makeError(CT_ERROR_OUT_OF_MEMORY, error.what_without_backtrace());
  } catch (const c10::DistError &error) {
    return makeError(CT_ERROR_COMMUNICATION, error.what_without_backtrace());
  } catch (const c10::Error &error) {
    return makeError(CT_ERROR_ENGINE, error.what_without_backtrace());
  } catch (const ctorch::NoDevice &error) {
    return makeError(CT_ERROR_NO_DEVICE, error.what());
  } catch (const std::bad_alloc &) {
    return &outOfMemory;
  } catch (const std::exception &error) {
    // The types of Gloo's exceptions are not declared here, but their messages start with the source location.
    const bool isGloo = std::string(error.what()).find("/gloo/") != std::string::npos;
    return makeError(isGloo ? CT_ERROR_COMMUNICATION : CT_ERROR_ENGINE, error.what());
  } catch (...) {
    return makeError(CT_ERROR_ENGINE, "unknown C++ exception");
  }
}

const char *ct_error_message(const CTError *error) { return error->message.c_str(); }

CTErrorKind ct_error_kind(const CTError *error) { return error->kind; }

void ct_error_free(CTError *error) {
  if (error != &outOfMemory) delete error;
}
