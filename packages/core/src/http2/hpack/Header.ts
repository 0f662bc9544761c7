/** A field of a header block, in lower case. Of both a character is one byte (latin1). Values of `-bin` fields stay base64. */
export type Header = readonly [name: string, value: string];
