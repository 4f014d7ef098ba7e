import CTorch
import OnePassCore

/// Throws the error that a call of the C interface returned, if any, and frees it.
/// - Parameter operation: The public function that made the call, for the message.
func check(_ operation: StaticString, _ error: OpaquePointer?) throws {
  guard let error else { return }
  defer { ct_error_free(error) }
  let message = String(cString: ct_error_message(error))
  switch ct_error_kind(error) {
  case CT_ERROR_OUT_OF_MEMORY: throw OnePassError.outOfMemory(operation, message)
  case CT_ERROR_NO_DEVICE: throw OnePassError.deviceUnavailable(message)
  case CT_ERROR_COMMUNICATION: throw OnePassError.peerFailed(operation, message)
  default: throw OnePassError.libtorchFailed(operation, message)
  }
}

/// The address at which a call of the C interface stores a new tensor.
typealias TensorSlot = UnsafeMutablePointer<OpaquePointer?>

/// Returns the tensor that a call of the C interface creates.
/// - Parameter inputs: Every tensor whose handle the call uses. They are kept alive until the call returns; Swift could
///   otherwise release them earlier.
func result(
  of operation: StaticString, using inputs: Tensor?..., call: (TensorSlot) -> OpaquePointer?
) throws -> Tensor {
  try withExtendedLifetime(inputs) {
    var made: OpaquePointer?
    try check(operation, call(&made))
    guard let made else { throw OnePassError.libtorchReturnedNothing(operation) }
    return Tensor(owning: made)
  }
}

/// Makes a call of the C interface that modifies or only reads `inputs`.
func perform(_ operation: StaticString, using inputs: Tensor?..., call: () -> OpaquePointer?) throws {
  try withExtendedLifetime(inputs) { try check(operation, call()) }
}
