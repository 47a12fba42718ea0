/** The terms of an operation pattern, none where it is about anything; a product alone is one term. */
export function termsOf(pattern: string, products: readonly string[]): string[] {
  const terms = pattern.split(/\s+/).filter(Boolean);
  const named = terms.filter((term) => term !== "*");
  // "confluence *" is all of Confluence.
  return named.length === 1 && named[0] && products.includes(named[0].toLowerCase())
    ? named
    : terms.length === 1
      ? named
      : terms;
}

/** The operation pattern of some terms. A product alone would be an operation of that name. */
export function patternOf(terms: readonly string[], products: readonly string[]): string {
  const [first] = terms;
  if (first === undefined) return "*";
  return terms.length === 1 && products.includes(first.toLowerCase()) ? `${first} *` : terms.join(" ");
}
