package workload

// Order returns the order of n models in cycle number k as indexes into the canonical list.
//
// The orders are the rows of a Williams design (E. J. Williams, Aust. J. Sci. Res. A 2, 1949):
// over one full round every model stands at every place equally often and follows every
// other model equally often, so that neither the place in the cycle nor the predecessor
// (whose memory and heat a node may still carry) favours anybody. A round is n cycles long
// for an even n and 2n for an odd n: ten cycles for five models.
//
// The first row is 0, n-1, 1, n-2, 2, …; each further row adds one to every entry modulo n;
// for an odd n the second half of the round runs these rows backwards.
func Order(n, k int) []int {
	if n <= 0 {
		return nil
	}
	round := n
	if n%2 == 1 {
		round = 2 * n
	}
	k = ((k % round) + round) % round
	row := make([]int, n)
	for i := range row {
		first := i / 2
		if i%2 == 1 {
			first = n - 1 - i/2
		}
		at := i
		if k >= n {
			at = n - 1 - i
		}
		row[at] = (first + k) % n
	}
	return row
}
