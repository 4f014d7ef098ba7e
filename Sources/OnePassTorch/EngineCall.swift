import CTorch
import OnePassCore

/// Throws what an engine call reported, as one sentence that names the operation and holds libtorch's message.
///
/// Takes over the error object.
func check(_ operation: StaticString, _ error: OpaquePointer?) throws {
  guard let error else { return }
  defer { ct_error_free(error) }
  let message = String(cString: ct_error_message(error))
  switch ct_error_kind(error) {
  case CT_ERROR_OUT_OF_MEMORY:
    throw OnePassError(
      .engine,
      "There is not enough memory for \(operation) (\(message)): use a smaller batch or a smaller model.")
  case CT_ERROR_NO_DEVICE:
    throw OnePassError(.usage, "The device asked for cannot be used, because \(message): use cpu or auto.")
  case CT_ERROR_COMMUNICATION:
    throw OnePassError(
      .io,
      "Another process did not do its part of \(operation) (\(message.firstLine)): see what it says itself.",
      cause: CommunicationFailure(description: message))
  default:
    throw OnePassError(.engine, "libtorch refused \(operation): \(message)")
  }
}

/// The address at which an engine call leaves its new tensor.
typealias TensorSlot = UnsafeMutablePointer<OpaquePointer?>

/// The tensor that an engine call makes.
///
/// `inputs` are every tensor whose handle the call uses: they stay alive until it returns, whatever the
/// optimiser thinks of their last use.
func result(
  of operation: StaticString, using inputs: Tensor?..., call: (TensorSlot) -> OpaquePointer?
) throws -> Tensor {
  try withExtendedLifetime(inputs) {
    var made: OpaquePointer?
    try check(operation, call(&made))
    guard let made else { throw OnePassError(.engine, "libtorch made no tensor in \(operation).") }
    return Tensor(owning: made)
  }
}

/// An engine call that changes one of `inputs`, or that only reads them.
func perform(_ operation: StaticString, using inputs: Tensor?..., call: () -> OpaquePointer?) throws {
  try withExtendedLifetime(inputs) { try check(operation, call()) }
}
