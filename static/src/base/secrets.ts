/** The secret in what a person pastes: a whole address (after its `#`), a fragment or the secret alone. */
export function secretIn(pasted: string): string {
  const words = pasted.trim();
  return words.slice(words.indexOf("#") + 1).trim();
}
