// What is wrong with a file or a call, in the words of spec/errors.md.

export class NnpackError extends Error {
  /**
   * @param {string} code
   * @param {string} [at] a JSON pointer into the header, or `byte N`
   * @param {unknown} [expected]
   * @param {unknown} [received]
   */
  constructor(code, at = "", expected = undefined, received = undefined) {
    const place = at && ` at ${at}`;
    const detail = expected === undefined ? "" : `: expected ${expected}, received ${received}`;
    super(code + place + detail);
    this.code = code;
    this.at = at;
  }
}

/** @param {ConstructorParameters<typeof NnpackError>} what @returns {never} */
export function fail(...what) {
  throw new NnpackError(...what);
}

/**
 * A JSON pointer (RFC 6901).
 * @param {...(string | number)} keys
 */
export function pointer(...keys) {
  return keys.map((key) => "/" + String(key).replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}
