"""What was measured, what it should be, and whether it is."""

from dataclasses import dataclass, field


@dataclass
class Checks:
    """Lines of a table: what was measured, what it should be, and whether it is."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    failed: bool = False

    def add(self, what: str, found: float, wanted: float, *, rule: str = "=") -> None:
        """Add a measure that must be equal to what is wanted, or at least or at most that."""
        fine = {"=": found == wanted, "≥": found >= wanted, "≤": found <= wanted}[rule]
        self.failed |= not fine
        self.rows.append((what, f"{found:g}", f"{rule} {wanted:g}", "yes" if fine else "NO"))

    def say(self, what: str, found: str) -> None:
        """Add a line that cannot fail."""
        self.rows.append((what, found, "", ""))

    def table(self) -> str:
        """Return the table as Markdown."""
        lines = [("measure", "found", "wanted", "holds"), ("---",) * 4, *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
