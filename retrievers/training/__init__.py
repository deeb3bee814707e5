"""Training of experts: a slice's vectors and labelled questions come in, an adapter and the card that accounts for it go out."""
