// Where a part that scrolls gets lower, as when a strip comes above it, what has the cursor in it stays in sight.

export function keepSeen(part: HTMLElement): { destroy(): void } {
  const watcher = new ResizeObserver(() => {
    const at = document.activeElement;
    // One that does not scroll by itself moves with its page, which is hers to move.
    if (part.scrollHeight > part.clientHeight && at !== null && at !== part && part.contains(at)) at.scrollIntoView({ block: 'nearest' });
  });
  watcher.observe(part);
  return { destroy: () => watcher.disconnect() };
}
