/* The trailer grpc-message: UTF-8, where all but printable ASCII, and the percent sign, is percent-encoded. */

export function encodeStatusMessage(message: string): string {
  // What is no text (a lone surrogate) becomes a replacement character, or there would be no answer at all.
  return message.toWellFormed().replace(/[^ -$&-~]/gu, encodeURIComponent);
}

/** Leaves as it is what is not well encoded: a message is for people. */
export function decodeStatusMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
